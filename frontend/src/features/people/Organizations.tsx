/** Organisations: tenants with keys, rules and wallets of their own. */
import Button from "@mui/material/Button";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { mdiAccountGroupOutline, mdiDelete, mdiPencil, mdiPlus, mdiSpeedometer } from "@mdi/js";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ago } from "../../common/format";
import { Icon } from "../../common/Icon";
import { type Column, ListTable } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Pager } from "../../common/Pager";
import { RowMenu } from "../../common/RowMenu";
import { Empty } from "../../common/states";
import { useDebounced } from "../../common/useDebounced";
import { useKeyset } from "../../common/useKeyset";
import {
  type OrganizationRowFragment,
  OrganizationsDocument,
  type OrganizationsQuery,
} from "../../gql/people";
import { LimitsDialog } from "../limit/LimitsDialog";
import { MembersDialog } from "./Members";
import { AddOrganization, DeleteOrganization, RenameOrganization } from "./OrganizationForms";

type Row = OrganizationsQuery["organizations"]["nodes"][number];
type Open =
  | { command: "add" }
  | { command: "edit" | "members" | "limits" | "delete"; organization: OrganizationRowFragment };

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
      {open?.command === "add" && <AddOrganization onDone={done} onClose={close} />}
      {open?.command === "edit" && <RenameOrganization {...open} onDone={done} onClose={close} />}
      {open?.command === "delete" && <DeleteOrganization {...open} onDone={done} onClose={close} />}
      {open?.command === "limits" && (
        <LimitsDialog
          owner={open.organization.id}
          name={open.organization.name}
          onDone={done}
          onClose={close}
        />
      )}
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
          sx={{ minWidth: 32, mr: "-5px", justifyContent: "flex-end" }}
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
              label: "Limits",
              icon: mdiSpeedometer,
              onClick: () => open({ command: "limits", organization }),
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
