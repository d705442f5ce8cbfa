/** Everybody who may sign in: made by hand, or vouched for by the identity provider. */
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import {
  mdiAccountCancel,
  mdiAccountCheck,
  mdiAccountOutline,
  mdiPencil,
  mdiPlus,
  mdiSpeedometer,
} from "@mdi/js";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { ago, words } from "../../common/format";
import { Icon } from "../../common/Icon";
import { type Column, ListTable } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Pager } from "../../common/Pager";
import { RowMenu } from "../../common/RowMenu";
import { Empty } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useDebounced } from "../../common/useDebounced";
import { useKeyset } from "../../common/useKeyset";
import { useOptimistic } from "../../common/useOptimistic";
import { PeopleDocument, type PersonFragment, UpdateUserDocument } from "../../gql/people";
import { LimitsDialog } from "../limit/LimitsDialog";
import { AddPerson, EditPerson } from "./PersonForms";

type Open = { command: "add" } | { command: "edit" | "limits" | "disable"; person: PersonFragment };

export function Persons() {
  const [search, setSearch] = useState("");
  const keyset = useKeyset(25);
  const variables = { search: useDebounced(search.trim()) || null, ...keyset.position };
  const context = useMemo(() => ({ additionalTypenames: ["User", "Membership"] }), []);
  const [{ data, error }, refetch] = useQuery({ query: PeopleDocument, variables, context });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const notice = useNotice();
  const update = useAct(UpdateUserDocument);

  function done(text: string) {
    close();
    notice(text);
    refresh();
  }

  const connection = data?.users;
  const { shown, change } = useOptimistic(connection?.nodes, ({ id }) => id);
  function enable(person: PersonFragment) {
    const { id, name } = person;
    const set = () => update({ input: { id, enabled: true } });
    const said = { done: `${name} may sign in again.`, failed: `${name} is still disabled.` };
    void change(person, { enabled: true }, set, said).then(refresh);
  }
  return (
    <>
      <Stack direction="row" spacing={1.5} useFlexGap sx={{ flexWrap: "wrap" }}>
        <TextField
          size="small"
          type="search"
          label="Search people"
          value={search}
          sx={{ flexGrow: 1, maxWidth: 360 }}
          onChange={(event) => {
            setSearch(event.target.value);
            keyset.restart();
          }}
        />
        <Button
          variant="contained"
          startIcon={<Icon path={mdiPlus} />}
          onClick={() => setOpen({ command: "add" })}
        >
          Add a person
        </Button>
      </Stack>
      <ListTable
        label="People"
        columns={columnsOf(setOpen, enable)}
        rows={shown}
        keyOf={({ id }) => id}
        problem={error && !connection ? messageOf(error) : null}
        retry={refresh}
        empty={
          <Empty icon={mdiAccountOutline} title="Nobody matches">
            Search for part of a name or address.
          </Empty>
        }
        footer={
          <Pager
            page={connection?.pageInfo}
            keyset={keyset}
            total={connection?.totalCount}
            noun="people"
          />
        }
      />
      {open?.command === "add" && <AddPerson onDone={done} onClose={close} />}
      {open?.command === "edit" && <EditPerson {...open} onDone={done} onClose={close} />}
      {open?.command === "limits" && (
        <LimitsDialog
          owner={open.person.id}
          name={open.person.name}
          onDone={done}
          onClose={close}
        />
      )}
      {open?.command === "disable" && <Disable {...open} onDone={done} onClose={close} />}
    </>
  );
}

function columnsOf(
  open: (open: Open) => void,
  enable: (person: PersonFragment) => void,
): Column<PersonFragment>[] {
  return [
    { label: "Person", render: (person) => <Name person={person} /> },
    { label: "Role", render: ({ role }) => words(role) },
    {
      label: "Organisations",
      render: ({ memberships }) =>
        memberships.nodes
          .map(({ organization, role }) =>
            role === "ADMIN" ? `${organization.name} (administrator)` : organization.name,
          )
          .join(", ") || "–",
    },
    { label: "Made by", minor: true, render: ({ issuer }) => issuer ?? "Hand" },
    {
      label: "Last sign-in",
      minor: true,
      render: ({ lastSeenAt }) => (lastSeenAt ? ago(lastSeenAt) : "–"),
    },
    {
      label: "Actions",
      actions: true,
      render: (person) => (
        <RowMenu
          of={person.name}
          entries={[
            { label: "Edit", icon: mdiPencil, onClick: () => open({ command: "edit", person }) },
            {
              label: "Limits",
              icon: mdiSpeedometer,
              onClick: () => open({ command: "limits", person }),
            },
            person.enabled
              ? {
                  label: "Disable",
                  icon: mdiAccountCancel,
                  onClick: () => open({ command: "disable", person }),
                }
              : { label: "Enable", icon: mdiAccountCheck, onClick: () => enable(person) },
          ]}
        />
      ),
    },
  ];
}

function Name({ person: { name, email, enabled } }: { person: PersonFragment }) {
  return (
    <div>
      <Stack direction="row" spacing={1} sx={{ alignItems: "center" }}>
        <Typography sx={{ fontWeight: 600 }}>{name}</Typography>
        {!enabled && <Chip size="small" label="Disabled" />}
      </Stack>
      <Typography variant="body2" color="textSecondary">
        {email}
      </Typography>
    </div>
  );
}

interface DisableProps {
  person: PersonFragment;
  onDone: (text: string) => void;
  onClose: () => void;
}

function Disable({ person, onDone, onClose }: DisableProps) {
  const update = useAct(UpdateUserDocument);
  return (
    <ConfirmDialog
      title={`Disable ${person.name}?`}
      action="Disable"
      onClose={onClose}
      onConfirm={async () => {
        await update({ input: { id: person.id, enabled: false } });
        onDone(`${person.name} is disabled.`);
      }}
    >
      Their sign-in and all their API keys stop within seconds. What they used and own stays, and
      they can be enabled again.
    </ConfirmDialog>
  );
}
