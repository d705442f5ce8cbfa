/** The Routing Rules tab: what is in force, how it decides, and what was in force before. */
import Chip from "@mui/material/Chip";
import Grid from "@mui/material/Grid";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useCallback, useState } from "react";
import { useQuery } from "urql";
import { ago } from "../../common/format";
import { Page } from "../../common/Page";
import { Loading, Problem } from "../../common/states";
import { Toggle } from "../../common/Toggle";
import { useIsAdmin } from "../../common/viewer";
import { type RoutingRulesInput, RuleOwnerDocument, type RuleScope } from "../../gql/rule";
import { Applied } from "./Applied";
import { DraftBar } from "./DraftBar";
import { Explain } from "./Explain";
import { History } from "./History";
import { RulesForm } from "./RulesForm";
import { type Rules as InForceRules, useRules } from "./useRules";

export function Rules() {
  const scopes = useScopes();
  const [chosen, setChosen] = useState<RuleScope | null>(null);
  const scope = chosen ?? scopes[0]?.[0];
  return (
    <Page
      title="Routing Rules"
      about="How a model is chosen. What you publish applies at once."
      actions={
        scope &&
        scopes.length > 1 && (
          <Toggle label="Whose rules" value={scope} options={scopes} onChange={setChosen} />
        )
      }
    >
      {scope ? <Editor key={scope} scope={scope} /> : <Loading />}
    </Page>
  );
}

/** Those that the viewer governs, the widest first. */
function useScopes(): readonly (readonly [RuleScope, string])[] {
  const isAdmin = useIsAdmin();
  const [{ data }] = useQuery({ query: RuleOwnerDocument });
  if (!data) return [];
  const { organization, organizationRole } = data.viewer;
  return [
    ...(isAdmin ? [["GLOBAL", "Installation"] as const] : []),
    ...(organization && organizationRole === "ADMIN"
      ? [["ORGANIZATION", `Organisation ${organization.name}`] as const]
      : []),
    ["USER", "Mine"],
  ];
}

function Editor({ scope }: { scope: RuleScope }) {
  const { rules, problem, refresh } = useRules(scope);
  const [takenUp, setTakenUp] = useState<number | null>(null);
  const [proposed, setProposed] = useState("null");
  const propose = useCallback(
    (input: RoutingRulesInput | null) => setProposed(JSON.stringify(input)),
    [],
  );
  if (problem && !rules) return <Problem message={problem} retry={refresh} />;
  if (!rules) return <Loading />;
  const { version, draft } = rules;
  const edited = draft && takenUp === draft.revision ? draft : null;
  return (
    <Stack spacing={2}>
      <InForce rules={rules} scope={scope} />
      {draft && !edited && (
        <DraftBar
          {...{ scope, version, draft }}
          onEdit={() => setTakenUp(draft.revision)}
          onChange={refresh}
        />
      )}
      <Grid container spacing={2}>
        <Grid size={{ xs: 12, lg: 6 }}>
          <RulesForm
            key={`${version} ${edited?.revision}`}
            rules={rules}
            scope={scope}
            edited={edited}
            onPropose={propose}
            onStored={() => {
              setTakenUp(null);
              refresh();
            }}
          />
        </Grid>
        <Grid size={{ xs: 12, lg: 6 }}>
          <Explain
            version={version}
            scope={scope}
            written={proposed}
            draft={draft?.revision ?? null}
          />
        </Grid>
      </Grid>
      <Typography variant="h2">History</Typography>
      <History key={`history-${version}`} scope={scope} current={version} onRolledBack={refresh} />
    </Stack>
  );
}

function InForce({ rules, scope }: { rules: InForceRules; scope: RuleScope }) {
  const { version, live } = rules;
  const published = live?.publishedAt ? `, published ${ago(live.publishedAt)}` : "";
  const by = live?.author ? ` by ${live.author.name}` : "";
  const none = scope === "GLOBAL" ? "Defaults in force" : "Nothing decided here yet";
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: "wrap" }}>
      <Chip color="primary" label={version === 0 ? none : `Version ${version}${published}${by}`} />
      {useIsAdmin() && <Applied />}
    </Stack>
  );
}
