/** Where everything is: GraphiQL, the endpoints, and how a first request is made. */
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Chip from "@mui/material/Chip";
import Container from "@mui/material/Container";
import Grid from "@mui/material/Grid";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";
import type { Session } from "../session/session";
import { CopyBlock } from "./CopyBlock";
import { Totals } from "./Totals";

interface Props {
  session: Session;
  signOut: () => Promise<void>;
}

export function Home({ session, signOut }: Props) {
  const base = `${window.location.origin}/v1`;
  return (
    <Container component="main" maxWidth="md" sx={{ py: 4 }}>
      <Stack
        direction="row"
        spacing={1.5}
        useFlexGap
        sx={{ alignItems: "center", flexWrap: "wrap", mb: 4 }}
      >
        <img src="/favicon.svg" alt="" width={36} height={36} />
        <Typography variant="h1" sx={{ flexGrow: 1 }}>
          Fairlead
        </Typography>
        <Chip label={`${session.name} · ${session.role.toLowerCase()}`} />
        <Button onClick={() => void signOut()}>Sign out</Button>
      </Stack>
      <Totals />
      <Grid container spacing={2} sx={{ mt: 0 }}>
        <Section title="GraphQL">
          <Typography color="text.secondary">
            Providers, models, rules, keys and usage: every operation, with its documentation.
          </Typography>
          <Box>
            <Button href="/graphql" variant="contained">
              Open GraphiQL
            </Button>
          </Box>
          <CopyBlock
            label="Endpoint (HTTP, WebSocket, SSE)"
            text={`${window.location.origin}/graphql`}
          />
        </Section>
        <Section title="OpenAI-compatible API">
          <Typography color="text.secondary">
            Point any OpenAI SDK here. Ask for a model by name, or let the live rule choose with
            “auto”.
          </Typography>
          <CopyBlock label="base_url" text={base} />
          <CopyBlock label="First request" text={firstRequest(base)} />
        </Section>
      </Grid>
    </Container>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Grid size={{ xs: 12, md: 6 }}>
      <Card variant="outlined" sx={{ height: "100%" }}>
        <CardContent>
          <Stack spacing={2}>
            <Typography variant="h2">{title}</Typography>
            {children}
          </Stack>
        </CardContent>
      </Card>
    </Grid>
  );
}

function firstRequest(base: string): string {
  return [
    `curl ${base}/chat/completions \\`,
    `  -H "authorization: Bearer $FAIRLEAD_KEY" \\`,
    `  -H "content-type: application/json" \\`,
    `  -d '{"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}'`,
  ].join("\n");
}
