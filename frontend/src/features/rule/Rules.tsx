/** The Routing Rules tab: what is in force, how it decides, and what was in force before. */
import Chip from "@mui/material/Chip";
import Grid from "@mui/material/Grid";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useQuery } from "urql";
import { ago } from "../../common/format";
import { Page } from "../../common/Page";
import { Loading, Problem } from "../../common/states";
import { useIsAdmin } from "../../common/viewer";
import { usePolling } from "../../common/usePolling";
import { AppliedDocument } from "../../gql/rule";
import { Explain } from "./Explain";
import { History } from "./History";
import { RulesForm } from "./RulesForm";
import { type Rules as InForceRules, useRules } from "./useRules";

const REFRESH_MS = 2_000;

export function Rules() {
  const isAdmin = useIsAdmin();
  return (
    <Page title="Routing Rules" about="How a model is chosen. What you publish applies at once.">
      {isAdmin ? <Editor /> : <Explain version={0} />}
    </Page>
  );
}

function Editor() {
  const { rules, problem, refresh } = useRules();
  if (problem && !rules) return <Problem message={problem} retry={refresh} />;
  if (!rules) return <Loading />;
  const { version } = rules;
  return (
    <Stack spacing={2}>
      <InForce rules={rules} />
      <Grid container spacing={2}>
        <Grid size={{ xs: 12, lg: 6 }}>
          <RulesForm key={version} rules={rules} onPublished={refresh} />
        </Grid>
        <Grid size={{ xs: 12, lg: 6 }}>
          <Explain version={version} />
        </Grid>
      </Grid>
      <Typography variant="h2">History</Typography>
      <History key={`history-${version}`} current={version} onRolledBack={refresh} />
    </Stack>
  );
}

function InForce({ rules }: { rules: InForceRules }) {
  const { version, live } = rules;
  const [{ data: status }, refetch] = useQuery({ query: AppliedDocument });
  usePolling(() => refetch({ requestPolicy: "network-only" }), REFRESH_MS);
  const { applied, running } = status?.configStatus ?? { applied: 0, running: 0 };
  const published = live?.publishedAt ? `, published ${ago(live.publishedAt)}` : "";
  const by = live?.author ? ` by ${live.author.name}` : "";
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: "wrap" }}>
      <Chip
        color="primary"
        label={version === 0 ? "Defaults in force" : `Version ${version}${published}${by}`}
      />
      {status && (
        <Chip
          variant="outlined"
          color={applied === running ? "success" : "warning"}
          label={`Applied on ${applied} of ${running}`}
        />
      )}
    </Stack>
  );
}
