/** Who is in an organisation: added, given another role, taken out. */
import Autocomplete from "@mui/material/Autocomplete";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { mdiAccountOutline, mdiAccountRemove, mdiShieldAccount, mdiShieldOff } from "@mdi/js";
import { useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { ago, words } from "../../common/format";
import { type Column, ListTable } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Pager } from "../../common/Pager";
import { RowMenu } from "../../common/RowMenu";
import { Empty } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useDebounced } from "../../common/useDebounced";
import { useKeyset } from "../../common/useKeyset";
import { useOptimistic } from "../../common/useOptimistic";
import { useIsAdmin } from "../../common/viewer";
import {
  AddMemberDocument,
  MembersDocument,
  type MembersQuery,
  type OrganizationRowFragment,
  PersonChoicesDocument,
  RemoveMemberDocument,
  UpdateMemberDocument,
} from "../../gql/people";

type Member = NonNullable<MembersQuery["organization"]>["members"]["nodes"][number];

interface DialogProps {
  organization: OrganizationRowFragment;
  onClose: () => void;
}

export function MembersDialog({ organization, onClose }: DialogProps) {
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="md" aria-labelledby="members">
      <DialogTitle id="members">Members of {organization.name}</DialogTitle>
      <DialogContent>
        <Members organization={organization} />
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  );
}

export function Members({ organization }: { organization: OrganizationRowFragment }) {
  const keyset = useKeyset(25);
  const variables = { slug: organization.slug, ...keyset.position };
  const [{ data, error }, refetch] = useQuery({ query: MembersDocument, variables });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  const [leaving, setLeaving] = useState<Member | null>(null);
  const connection = data?.organization?.members;
  const { shown, change } = useOptimistic(connection?.nodes, ({ user }) => user.id);
  const update = useAct(UpdateMemberDocument);
  function turn(member: Member) {
    const { user, role } = member;
    const next = role === "ADMIN" ? "MEMBER" : "ADMIN";
    const input = { organization: organization.id, user: user.id, role: next } as const;
    const said = {
      done: `${user.name} is now ${PLACES[next]}.`,
      failed: `${user.name} is still ${PLACES[role]}.`,
    };
    void change(member, { role: next }, () => update({ input }), said).then(refresh);
  }
  return (
    <Stack spacing={2} sx={{ pt: 1 }}>
      {useIsAdmin() && <Invite organization={organization} onDone={refresh} />}
      <ListTable
        label={`Members of ${organization.name}`}
        columns={columnsOf(turn, setLeaving)}
        rows={shown}
        keyOf={({ user }) => user.id}
        problem={error && !connection ? messageOf(error) : null}
        retry={refresh}
        empty={
          <Empty icon={mdiAccountOutline} title="Nobody yet">
            People come by their groups at the identity provider, or are added by an administrator.
          </Empty>
        }
        footer={
          <Pager
            page={connection?.pageInfo}
            keyset={keyset}
            total={connection?.totalCount}
            noun="members"
          />
        }
      />
      {leaving && (
        <Leave
          member={leaving}
          organization={organization}
          onDone={refresh}
          onClose={() => setLeaving(null)}
        />
      )}
    </Stack>
  );
}

const PLACES = { ADMIN: "an administrator", MEMBER: "a member" } as const;

function columnsOf(
  change: (member: Member) => void,
  leave: (member: Member) => void,
): Column<Member>[] {
  return [
    {
      label: "Person",
      render: ({ user }) => (
        <div>
          <Typography sx={{ fontWeight: 600 }}>{user.name}</Typography>
          <Typography variant="body2" color="textSecondary">
            {user.email}
          </Typography>
        </div>
      ),
    },
    {
      label: "Role",
      render: ({ role }) => (
        <Chip
          size="small"
          variant="outlined"
          color={role === "ADMIN" ? "primary" : "default"}
          label={role === "ADMIN" ? "Administrator" : "Member"}
        />
      ),
    },
    { label: "By", render: ({ origin }) => (origin === "TOKEN" ? "Group" : words(origin)) },
    { label: "Since", minor: true, render: ({ createdAt }) => ago(createdAt) },
    {
      label: "Actions",
      actions: true,
      render: (member) => (
        <RowMenu
          of={member.user.name}
          entries={[
            member.role === "ADMIN"
              ? { label: "Make a member", icon: mdiShieldOff, onClick: () => change(member) }
              : {
                  label: "Make an administrator",
                  icon: mdiShieldAccount,
                  onClick: () => change(member),
                },
            { label: "Remove", icon: mdiAccountRemove, onClick: () => leave(member) },
          ]}
        />
      ),
    },
  ];
}

interface ChangeProps {
  organization: OrganizationRowFragment;
  onDone: () => void;
}

function Invite({ organization, onDone }: ChangeProps) {
  const [typed, setTyped] = useState("");
  const variables = { search: useDebounced(typed.trim()) || null };
  const [{ data }] = useQuery({ query: PersonChoicesDocument, variables });
  const add = useAct(AddMemberDocument);
  const notice = useNotice();

  async function invite(user: { id: string; name: string } | null) {
    if (!user) return;
    setTyped("");
    await add({ input: { organization: organization.id, user: user.id } }).then(
      () => notice(`${user.name} is now a member of ${organization.name}.`),
      (refused: Error) => notice(refused.message),
    );
    onDone();
  }

  return (
    <Autocomplete
      size="small"
      value={null}
      inputValue={typed}
      onInputChange={(_, value, why) => setTyped(why === "input" ? value : "")}
      onChange={(_, user) => void invite(user)}
      filterOptions={(options) => options}
      options={data?.users.nodes ?? []}
      getOptionKey={({ id }) => id}
      getOptionLabel={({ name, email }) => (email ? `${name} (${email})` : name)}
      renderInput={(props) => <TextField {...props} label="Add somebody" />}
    />
  );
}

interface LeaveProps extends ChangeProps {
  member: Member;
  onClose: () => void;
}

function Leave({ member: { user }, organization, onDone, onClose }: LeaveProps) {
  const remove = useAct(RemoveMemberDocument);
  return (
    <ConfirmDialog
      title={`Take ${user.name} out of ${organization.name}?`}
      action="Remove"
      onClose={onClose}
      onConfirm={async () => {
        await remove({ input: { organization: organization.id, user: user.id } });
        onDone();
      }}
    >
      API keys that they made for {organization.name} stop within seconds.
    </ConfirmDialog>
  );
}
