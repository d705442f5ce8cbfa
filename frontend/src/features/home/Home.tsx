/** Home: the first steps while something is missing, and how applications reach the gateway. */
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import CardActionArea from "@mui/material/CardActionArea";
import CardContent from "@mui/material/CardContent";
import Grid from "@mui/material/Grid";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { CopyBlock } from "../../common/CopyBlock";
import { whole } from "../../common/format";
import { dollars } from "../../common/money";
import { Page } from "../../common/Page";
import { Problem } from "../../common/states";
import { useIsAdmin } from "../../common/viewer";
import { HomeDocument } from "../../gql/home";
import { FirstSteps } from "./FirstSteps";

export function Home() {
  const variables = { isAdmin: useIsAdmin() };
  const [{ data, error }, refetch] = useQuery({ query: HomeDocument, variables });
  const base = `${window.location.origin}/v1`;
  return (
    <Page title="Home" about="What is configured, and how applications reach it.">
      {error && !data && (
        <Problem
          message={messageOf(error)}
          retry={() => refetch({ requestPolicy: "network-only" })}
        />
      )}
      {data && <FirstSteps found={data} />}
      <Grid container spacing={2}>
        <Total to="/providers" label="Providers" value={data?.providers.totalCount} />
        <Total to="/models" label="Models" value={data?.models.totalCount} />
        <Total
          to="/usage"
          label="Requests, 30 days"
          value={data && whole(data.usage.totals.requests)}
        />
        <Total to="/usage" label="Cost, 30 days" value={data && dollars(data.usage.totals.cost)} />
      </Grid>
      <Grid container spacing={2}>
        <Section title="OpenAI-compatible API">
          <Typography color="textSecondary">
            Point any OpenAI SDK here. Ask for a model by name, or let the live rule choose with
            “auto”.
          </Typography>
          <CopyBlock label="base_url" text={base} />
          <CopyBlock label="First request" text={firstRequest(base)} />
        </Section>
        <Section title="GraphQL">
          <Typography color="textSecondary">
            Providers, models, rules, keys and usage: every operation, with its documentation.
          </Typography>
          <CopyBlock
            label="Endpoint (HTTP, WebSocket, SSE)"
            text={`${window.location.origin}/graphql`}
          />
          <Box>
            <Button href="/graphql" variant="outlined">
              Open GraphiQL
            </Button>
          </Box>
        </Section>
      </Grid>
    </Page>
  );
}

function Total({ to, label, value }: { to: string; label: string; value?: number | string }) {
  const shown = typeof value === "number" ? value.toLocaleString() : value;
  return (
    <Grid size={{ xs: 6, md: 3 }}>
      <Card variant="outlined">
        <CardActionArea component={Link} to={to}>
          <CardContent>
            <Typography variant="body2" color="textSecondary">
              {label}
            </Typography>
            <Typography variant="h1" component="p">
              {shown ?? <Skeleton width={60} />}
            </Typography>
          </CardContent>
        </CardActionArea>
      </Card>
    </Grid>
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
    `  -d '{"model": "auto",`,
    `       "messages": [{"role": "user", "content": "Hello"}]}'`,
  ].join("\n");
}
