/** Organisations: tenants with keys, rules and wallets of their own. */
import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { mdiAccountGroupOutline, mdiDelete, mdiPencil, mdiPlus } from "@mdi/js";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { ago } from "../../common/format";
import { Icon } from "../../common/Icon";
import { type Column, ListTable } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Pager } from "../../common/Pager";
import { RowMenu } from "../../common/RowMenu";
import { Empty } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useDebounced } from "../../common/useDebounced";
import { useKeyset } from "../../common/useKeyset";
import {
  CreateOrganizationDocument,
  DeleteOrganizationDocument,
  type OrganizationRowFragment,
  OrganizationsDocument,
  type OrganizationsQuery,
  UpdateOrganizationDocument,
} from "../../gql/people";
import { MembersDialog } from "./Members";

type Row = OrganizationsQuery["organizations"]["nodes"][number];
type Open =
  | { command: "add" }
  | { command: "edit" | "members" | "delete"; organization: OrganizationRowFragment };

export function Organizations() {
  const [search, setSearch] = useState("");
  const keyset = useKeyset(25);
  const variables = { search: useDebounced(search.trim()) || null, ...keyset.position };
  const context = useMemo(() => ({ additionalTypenames: ["Organization", "Membership"] }), []);
  const [{ data, error }, refetch] = useQuery({ query: OrganizationsDocument, variables, context });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const notice = useNotice();

  function done(text: string) {
    close();
    notice(text);
    refresh();
  }

  const connection = data?.organizations;
  return (
    <>
      <Stack direction="row" spacing={1.5} useFlexGap sx={{ flexWrap: "wrap" }}>
        <TextField
          size="small"
          type="search"
          label="Search organisations"
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
          Add an organisation
        </Button>
      </Stack>
      <ListTable
        label="Organisations"
        columns={columnsOf(setOpen)}
        rows={connection?.nodes}
        keyOf={({ id }) => id}
        problem={error && !connection ? messageOf(error) : null}
        retry={refresh}
        empty={
          <Empty icon={mdiAccountGroupOutline} title="No organisation matches">
            Search for part of a name, or add one.
          </Empty>
        }
        footer={
          <Pager
            page={connection?.pageInfo}
            keyset={keyset}
            total={connection?.totalCount}
            noun="organisations"
          />
        }
      />
      {open?.command === "add" && <Add onDone={done} onClose={close} />}
      {open?.command === "edit" && <Edit {...open} onDone={done} onClose={close} />}
      {open?.command === "delete" && <Delete {...open} onDone={done} onClose={close} />}
      {open?.command === "members" && (
        <MembersDialog
          {...open}
          onClose={() => {
            close();
            refresh();
          }}
        />
      )}
    </>
  );
}

function columnsOf(open: (open: Open) => void): Column<Row>[] {
  return [
    {
      label: "Organisation",
      render: ({ name, slug }) => (
        <div>
          <Typography sx={{ fontWeight: 600 }}>{name}</Typography>
          <Typography variant="body2" color="textSecondary">
            {slug}
          </Typography>
        </div>
      ),
    },
    {
      label: "Members",
      numeric: true,
      render: (organization) => (
        <Button
          size="small"
          aria-label={`${organization.members.totalCount.toLocaleString()} members of ${organization.name}`}
          onClick={() => open({ command: "members", organization })}
        >
          {organization.members.totalCount.toLocaleString()}
        </Button>
      ),
    },
    { label: "Follows group", render: ({ groupName }) => groupName ?? "–" },
    { label: "Created", minor: true, render: ({ createdAt }) => ago(createdAt) },
    {
      label: "Actions",
      actions: true,
      render: (organization) => (
        <RowMenu
          of={organization.name}
          entries={[
            {
              label: "Members",
              icon: mdiAccountGroupOutline,
              onClick: () => open({ command: "members", organization }),
            },
            {
              label: "Rename",
              icon: mdiPencil,
              onClick: () => open({ command: "edit", organization }),
            },
            {
              label: "Delete",
              icon: mdiDelete,
              onClick: () => open({ command: "delete", organization }),
            },
          ]}
        />
      ),
    },
  ];
}

interface FormProps {
  onDone: (text: string) => void;
  onClose: () => void;
}

type ChangeProps = FormProps & { organization: OrganizationRowFragment };

function Add({ onDone, onClose }: FormProps) {
  const [name, setName] = useState("");
  const [slug, setSlug] = useState("");
  const create = useAct(CreateOrganizationDocument);

  async function save() {
    await create({ input: { slug, name: name.trim() || null } });
    onDone(`${name || slug} was added.`);
  }

  return (
    <FormDialog
      title="Add an organisation"
      submitLabel="Add"
      fields={["slug", "name"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Field
        name="slug"
        label="Slug"
        required
        autoFocus
        value={slug}
        onChange={setSlug}
        helperText="Its short name, as in research."
      />
      <Field name="name" label="Name (optional)" value={name} onChange={setName} />
    </FormDialog>
  );
}

function Edit({ organization, onDone, onClose }: ChangeProps) {
  const [name, setName] = useState(organization.name);
  const update = useAct(UpdateOrganizationDocument);

  async function save() {
    const { id, version } = organization;
    await update({ input: { id, expectedVersion: version, name } });
    onDone(`It is now called ${name}.`);
  }

  return (
    <FormDialog
      title={`Rename ${organization.name}`}
      submitLabel="Rename"
      fields={["name"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Field name="name" label="Name" required autoFocus value={name} onChange={setName} />
    </FormDialog>
  );
}

function Delete({ organization, onDone, onClose }: ChangeProps) {
  const remove = useAct(DeleteOrganizationDocument);
  return (
    <ConfirmDialog
      title={`Delete ${organization.name}?`}
      action="Delete"
      onClose={onClose}
      onConfirm={async (force) => {
        await remove({ input: { id: organization.id, force } });
        onDone(`${organization.name} was deleted.`);
      }}
    >
      Its memberships go with it; the people stay. Usage keeps what was charged.
    </ConfirmDialog>
  );
}
