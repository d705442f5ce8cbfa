/** Every version that was published, and the way back to each. */
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { mdiHistory } from "@mdi/js";
import { useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { when, words } from "../../common/format";
import { type Column, ListTable } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Pager } from "../../common/Pager";
import { Empty } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useKeyset } from "../../common/useKeyset";
import {
  RollbackRoutingRulesDocument,
  RuleVersionsDocument,
  type RuleScope,
  type RuleVersionsQuery,
} from "../../gql/rule";
import { Differences } from "./Differences";

type Version = RuleVersionsQuery["routingRuleVersions"]["nodes"][number];

interface Props {
  scope: RuleScope;
  current: number;
  onRolledBack: () => void;
}

export function History({ scope, current, onRolledBack }: Props) {
  const keyset = useKeyset(10);
  const [{ data, error }, refetch] = useQuery({
    query: RuleVersionsDocument,
    variables: { scope, ...keyset.position },
    requestPolicy: "network-only",
  });
  const [chosen, setChosen] = useState<Version | null>(null);
  const connection = data?.routingRuleVersions;
  return (
    <>
      <ListTable
        label="Versions"
        columns={columnsOf(current, setChosen)}
        rows={connection?.nodes}
        keyOf={({ id }) => id}
        problem={error && !connection ? messageOf(error) : null}
        retry={() => refetch({ requestPolicy: "network-only" })}
        empty={
          <Empty icon={mdiHistory} title="Nothing published yet" guide="routing">
            Change something above and press Update: each version is kept, and can be gone back to.
          </Empty>
        }
        footer={
          <Pager
            page={connection?.pageInfo}
            keyset={keyset}
            total={connection?.totalCount}
            noun="versions"
          />
        }
      />
      {chosen && (
        <RollBack
          scope={scope}
          version={chosen.version}
          current={current}
          onDone={onRolledBack}
          onClose={() => setChosen(null)}
        />
      )}
    </>
  );
}

function columnsOf(current: number, choose: (version: Version) => void): Column<Version>[] {
  return [
    {
      label: "Version",
      render: ({ version, state }) => (
        <>
          {version}{" "}
          {state === "LIVE" && (
            <Chip size="small" color="success" variant="outlined" label="Live" />
          )}
        </>
      ),
    },
    { label: "Strategy", render: ({ settings }) => words(settings.strategy) },
    { label: "Sets", render: ({ decides }) => decides.map(words).join(", ") || "Nothing" },
    { label: "Why", render: ({ note }) => note ?? "–" },
    { label: "By", render: ({ author }) => author?.name ?? "–" },
    { label: "When", render: ({ publishedAt }) => (publishedAt ? when(publishedAt) : "–") },
    {
      label: "Actions",
      actions: true,
      render: (version) =>
        version.version !== current && (
          <Button size="small" onClick={() => choose(version)}>
            Roll back
          </Button>
        ),
    },
  ];
}

interface RollBackProps {
  scope: RuleScope;
  version: number;
  current: number;
  onDone: () => void;
  onClose: () => void;
}

function RollBack({ scope, version, current, onDone, onClose }: RollBackProps) {
  const rollBack = useAct(RollbackRoutingRulesDocument);
  const notice = useNotice();
  return (
    <ConfirmDialog
      title={`Roll back to version ${version}?`}
      action="Roll back"
      onClose={onClose}
      onConfirm={async () => {
        const { rules } = await rollBack({
          input: { scope, version, expectedVersion: current },
        });
        notice(`Version ${rules.version} is in force; it says what version ${version} said.`);
        onDone();
      }}
    >
      <Stack spacing={2}>
        <Typography>
          It is published anew as version {current + 1} and applies to the next request. Version{" "}
          {current} stays in the history.
        </Typography>
        <Differences scope={scope} version={version} />
      </Stack>
    </ConfirmDialog>
  );
}
