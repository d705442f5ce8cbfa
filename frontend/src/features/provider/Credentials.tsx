/** A provider's keys: masked, added, rotated, switched off, deleted. */
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import { mdiDelete, mdiKeyPlus, mdiKeyOutline, mdiPause, mdiPlay, mdiRefresh } from "@mdi/js";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { CredentialChip } from "../../common/CredentialChip";
import { Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { ago } from "../../common/format";
import { Icon } from "../../common/Icon";
import { type Column, ListTable } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Pager } from "../../common/Pager";
import { RowMenu } from "../../common/RowMenu";
import { SecretField } from "../../common/SecretField";
import { Empty } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useKeyset } from "../../common/useKeyset";
import { switched, useOptimistic } from "../../common/useOptimistic";
import {
  CreateCredentialDocument,
  type CredentialRowFragment,
  DeleteCredentialDocument,
  ProviderKeysDocument,
  UpdateCredentialDocument,
} from "../../gql/provider";
import type { ProviderRow } from "./row";

const PAGE = 25;

type Open = { kind: "add" } | { kind: "rotate" | "delete"; key: CredentialRowFragment } | null;

interface Props {
  provider: ProviderRow;
  onChange: () => void;
  onClose: () => void;
}

export function Credentials({ provider, onChange, onClose }: Props) {
  const [open, setOpen] = useState<Open>(null);
  const notice = useNotice();
  const update = useAct(UpdateCredentialDocument);
  const close = () => setOpen(null);

  const keyset = useKeyset(PAGE);
  const variables = { id: provider.id, ...keyset.position };
  const context = useMemo(() => ({ additionalTypenames: ["Credential"] }), []);
  const [{ data, error }, refetch] = useQuery({ query: ProviderKeysDocument, variables, context });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  const connection = data?.node?.__typename === "Provider" ? data.node.credentials : undefined;

  function done(text: string) {
    close();
    notice(text);
    changed();
  }
  function changed() {
    refresh();
    onChange();
  }

  const { shown, change } = useOptimistic(connection?.nodes, ({ id }) => id);
  async function toggle(key: CredentialRowFragment) {
    const enabled = key.state === "DISABLED";
    const set = () => update({ input: { id: key.id, enabled } });
    const state = enabled ? "ACTIVE" : "DISABLED";
    await change(key, { state }, set, switched(key.name, enabled));
    changed();
  }

  const columns: Column<CredentialRowFragment>[] = [
    { label: "Name", render: ({ name }) => name },
    { label: "Key", render: ({ mask }) => <code>{mask}</code> },
    { label: "State", render: (key) => <CredentialChip credential={key} /> },
    { label: "Changed", render: ({ updatedAt }) => ago(updatedAt) },
    {
      label: "Actions",
      actions: true,
      render: (key) => (
        <RowMenu
          of={key.name}
          entries={[
            { label: "Rotate", icon: mdiRefresh, onClick: () => setOpen({ kind: "rotate", key }) },
            key.state === "DISABLED"
              ? { label: "Switch on", icon: mdiPlay, onClick: () => void toggle(key) }
              : { label: "Switch off", icon: mdiPause, onClick: () => void toggle(key) },
            { label: "Delete", icon: mdiDelete, onClick: () => setOpen({ kind: "delete", key }) },
          ]}
        />
      ),
    },
  ];

  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="md" aria-labelledby="keys-title">
      <DialogTitle id="keys-title">Keys of {provider.name}</DialogTitle>
      <DialogContent>
        <ListTable
          label={`Keys of ${provider.name}`}
          columns={columns}
          rows={shown}
          keyOf={({ id }) => id}
          problem={error && !connection ? messageOf(error) : null}
          retry={refresh}
          footer={
            <Pager
              page={connection?.pageInfo}
              keyset={keyset}
              total={connection?.totalCount}
              noun="keys"
            />
          }
          empty={
            <Empty icon={mdiKeyOutline} title="No key yet" guide="providers">
              Without one, requests to this provider are refused unless it asks for none.
            </Empty>
          }
        />
      </DialogContent>
      <DialogActions>
        <Button startIcon={<Icon path={mdiKeyPlus} />} onClick={() => setOpen({ kind: "add" })}>
          Add a key
        </Button>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
      {open?.kind === "add" && <AddKey provider={provider} onDone={done} onClose={close} />}
      {open?.kind === "rotate" && <Rotate credential={open.key} onDone={done} onClose={close} />}
      {open?.kind === "delete" && <Delete credential={open.key} onDone={done} onClose={close} />}
    </Dialog>
  );
}

interface ChangeProps {
  onDone: (text: string) => void;
  onClose: () => void;
}

function AddKey({ provider, onDone, onClose }: ChangeProps & { provider: ProviderRow }) {
  const [name, setName] = useState("default");
  const [secret, setSecret] = useState("");
  const create = useAct(CreateCredentialDocument);

  async function save() {
    await create({ input: { provider: provider.id, name, secret: secret.trim() } });
    onDone(`${name} was added.`);
  }

  return (
    <FormDialog
      title={`Add a key to ${provider.name}`}
      submitLabel="Add"
      fields={["name", "secret"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Field name="name" label="Name" value={name} onChange={setName} required />
      <SecretField value={secret} onChange={setSecret} />
    </FormDialog>
  );
}

function Rotate({
  credential,
  onDone,
  onClose,
}: ChangeProps & { credential: CredentialRowFragment }) {
  const [secret, setSecret] = useState("");
  const update = useAct(UpdateCredentialDocument);

  async function save() {
    const { id, version } = credential;
    await update({ input: { id, expectedVersion: version, secret: secret.trim() } });
    onDone(`${credential.name} was rotated.`);
  }

  return (
    <FormDialog
      title={`Rotate ${credential.name}`}
      submitLabel="Rotate"
      fields={["secret"]}
      onSubmit={save}
      onClose={onClose}
    >
      <SecretField value={secret} onChange={setSecret} />
    </FormDialog>
  );
}

function Delete({
  credential,
  onDone,
  onClose,
}: ChangeProps & { credential: CredentialRowFragment }) {
  const remove = useAct(DeleteCredentialDocument);
  return (
    <ConfirmDialog
      title={`Delete the key ${credential.name}?`}
      action="Delete"
      onClose={onClose}
      onConfirm={async () => {
        await remove({ input: { id: credential.id } });
        onDone(`${credential.name} was deleted.`);
      }}
    >
      Requests stop using <code>{credential.mask}</code> at once. At the provider it stays valid.
    </ConfirmDialog>
  );
}
