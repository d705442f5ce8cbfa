/** Own keys as a list: masks, policy and state, and what can be done with each. */
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { mdiConnection, mdiDelete, mdiPause, mdiPencil, mdiPlay, mdiRefresh } from "@mdi/js";
import type { ReactNode } from "react";
import { CredentialChip } from "../../common/CredentialChip";
import { ago } from "../../common/format";
import { type Column, ListTable } from "../../common/ListTable";
import { RowMenu } from "../../common/RowMenu";
import type { OwnKeyFragment } from "../../gql/byok";
import { policyOf } from "./policies";

export type Command = "test" | "edit" | "rotate" | "toggle" | "delete";

interface Props {
  label: string;
  keys: readonly OwnKeyFragment[] | undefined;
  run: (command: Command, key: OwnKeyFragment) => void;
  problem?: string | null;
  retry?: () => void;
  empty: ReactNode;
}

export function KeyTable({ keys, run, ...rest }: Props) {
  return <ListTable columns={columnsOf(run)} rows={keys} keyOf={({ id }) => id} {...rest} />;
}

function columnsOf(run: Props["run"]): Column<OwnKeyFragment>[] {
  return [
    { label: "Provider", render: ({ provider, name }) => <Name {...{ provider, name }} /> },
    { label: "Key", render: ({ mask }) => <code>{mask}</code> },
    { label: "When it is used", render: ({ policy }) => <PolicyCell policy={policy} /> },
    { label: "State", render: (key) => <State credential={key} /> },
    { label: "Changed", minor: true, render: ({ updatedAt }) => ago(updatedAt) },
    {
      label: "Actions",
      actions: true,
      render: (key) => (
        <RowMenu
          of={`${key.name} at ${key.provider.name}`}
          entries={[
            { label: "Test", icon: mdiConnection, onClick: () => run("test", key) },
            { label: "Change", icon: mdiPencil, onClick: () => run("edit", key) },
            { label: "Rotate", icon: mdiRefresh, onClick: () => run("rotate", key) },
            key.state === "DISABLED"
              ? { label: "Switch on", icon: mdiPlay, onClick: () => run("toggle", key) }
              : { label: "Switch off", icon: mdiPause, onClick: () => run("toggle", key) },
            { label: "Delete", icon: mdiDelete, onClick: () => run("delete", key) },
          ]}
        />
      ),
    },
  ];
}

function Name({ provider, name }: Pick<OwnKeyFragment, "provider" | "name">) {
  return (
    <div>
      <Typography sx={{ fontWeight: 600 }}>{provider.name}</Typography>
      <Typography variant="body2" color="textSecondary">
        {name}
      </Typography>
    </div>
  );
}

function PolicyCell({ policy }: Pick<OwnKeyFragment, "policy">) {
  const found = policyOf(policy);
  return (
    <div>
      <Typography variant="body2">{found?.label ?? "–"}</Typography>
      <Typography variant="body2" color="textSecondary">
        {found?.summary}
      </Typography>
    </div>
  );
}

function State({ credential }: { credential: OwnKeyFragment }) {
  return (
    <Stack spacing={0.5} sx={{ alignItems: { xs: "flex-end", sm: "flex-start" } }}>
      <CredentialChip credential={credential} />
      {credential.stateReason && (
        <Typography variant="caption" color="textSecondary">
          {credential.stateReason}
        </Typography>
      )}
    </Stack>
  );
}
