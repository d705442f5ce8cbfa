/** The BYOK Settings tab: provider keys of one's own, and whose money a request spends. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import Grid from "@mui/material/Grid";
import Typography from "@mui/material/Typography";
import { mdiKeyChainVariant, mdiPlus } from "@mdi/js";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { Icon } from "../../common/Icon";
import { useNotice } from "../../common/notice";
import { Page } from "../../common/Page";
import { Empty } from "../../common/states";
import { useAct } from "../../common/useAct";
import {
  ByokKeysDocument,
  OrganizationKeysDocument,
  type OwnKeyFragment,
  TestOwnKeyDocument,
  UpdateByokKeyDocument,
} from "../../gql/byok";
import { type Tested, TestResult } from "../provider/TestResult";
import { AddOwnKey, DeleteOwnKey, EditOwnKey, RotateOwnKey } from "./KeyForms";
import { type Command, KeyTable } from "./KeyTable";
import { POLICIES } from "./policies";
import { ShadowCost } from "./ShadowCost";

type Open =
  { command: "add" } | { command: "edit" | "rotate" | "delete"; credential: OwnKeyFragment };

export function Byok() {
  const context = useMemo(() => ({ additionalTypenames: ["Credential"] }), []);
  const [{ data, error }, refetch] = useQuery({ query: ByokKeysDocument, context });
  const isAdmin = data?.viewer.organizationRole === "ADMIN";
  const [{ data: theirs }, refetchTheirs] = useQuery({
    query: OrganizationKeysDocument,
    pause: !isAdmin,
    context,
  });
  const refresh = () => {
    refetch({ requestPolicy: "network-only" });
    if (isAdmin) refetchTheirs({ requestPolicy: "network-only" });
  };
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const { tested, testing, test, run } = useCommands(setOpen, refresh);
  const notice = useNotice();

  function done(text: string) {
    close();
    notice(text);
    refresh();
  }

  const shared = theirs?.viewer.organization;
  const add = (
    <Button
      variant="contained"
      startIcon={<Icon path={mdiPlus} />}
      onClick={() => setOpen({ command: "add" })}
    >
      Add a key
    </Button>
  );
  return (
    <Page
      title="BYOK Settings"
      about="Bring your own key: requests by it are billed by the provider to you, and cost no credits."
      actions={add}
    >
      {testing && <Alert severity="info">Calling {testing} …</Alert>}
      {tested && !testing && <TestResult {...tested} />}
      <KeyTable
        label="Your keys"
        keys={data?.viewer.byokKeys.nodes}
        run={run}
        problem={error && !data ? messageOf(error) : null}
        retry={refresh}
        empty={<NoKeys action={add} />}
      />
      {data && <ShadowCost user={data.viewer.user.id} />}
      {shared && (
        <>
          <Typography variant="h2">Keys of {shared.name}</Typography>
          <KeyTable
            label={`Keys of ${shared.name}`}
            keys={shared.byokKeys.nodes}
            run={run}
            empty={
              <Empty
                icon={mdiKeyChainVariant}
                title="The organisation has no key of its own"
                guide="byok"
              >
                A key saved for the organisation serves all its members, before the
                installation&apos;s.
              </Empty>
            }
          />
        </>
      )}
      <Explained />
      {open?.command === "add" && (
        <AddOwnKey
          onClose={close}
          onDone={(text, id) => {
            done(text);
            void test(id, "your key");
          }}
        />
      )}
      {open?.command === "edit" && <EditOwnKey {...open} onDone={done} onClose={close} />}
      {open?.command === "rotate" && (
        <RotateOwnKey
          {...open}
          onClose={close}
          onDone={(text) => {
            done(text);
            void test(open.credential.id, open.credential.provider.name);
          }}
        />
      )}
      {open?.command === "delete" && <DeleteOwnKey {...open} onDone={done} onClose={close} />}
    </Page>
  );
}

/** What the rows' menus do: some act at once, the others open a dialog. */
function useCommands(open: (open: Open) => void, refresh: () => void) {
  const [tested, setTested] = useState<{ name: string; tested: Tested } | null>(null);
  const [testing, setTesting] = useState<string | null>(null);
  const call = useAct(TestOwnKeyDocument);
  const update = useAct(UpdateByokKeyDocument);
  const notice = useNotice();

  async function test(id: string, name: string) {
    setTesting(name);
    try {
      setTested({ name, tested: await call({ input: { id } }) });
    } catch (error) {
      notice((error as Error).message);
    }
    setTesting(null);
    refresh();
  }

  async function toggle({ id, name, state }: OwnKeyFragment) {
    const enabled = state === "DISABLED";
    await update({ input: { id, enabled } }).then(
      () => notice(`${name} is ${enabled ? "in use" : "switched off"}.`),
      (error: Error) => notice(error.message),
    );
    refresh();
  }

  function run(command: Command, credential: OwnKeyFragment) {
    if (command === "test") void test(credential.id, credential.provider.name);
    else if (command === "toggle") void toggle(credential);
    else open({ command, credential });
  }

  return { tested, testing, test, run };
}

function NoKeys({ action }: { action: React.ReactNode }) {
  return (
    <Empty icon={mdiKeyChainVariant} title="No key of your own yet" action={action} guide="byok">
      With one, your requests to its provider are billed there to you, cost no credits here, and may
      name models that the catalogue does not list.
    </Empty>
  );
}

function Explained() {
  return (
    <section aria-label="Whose key is used">
      <Typography variant="h2" sx={{ mb: 1.5 }}>
        Whose key is used
      </Typography>
      <Grid container spacing={2}>
        {POLICIES.map(({ policy, label, summary, detail }) => (
          <Grid key={policy} size={{ xs: 12, md: 4 }}>
            <Card variant="outlined" sx={{ p: 2, height: "100%" }}>
              <Typography sx={{ fontWeight: 600 }}>{label}</Typography>
              <Typography variant="body2">{summary}</Typography>
              <Typography variant="body2" color="textSecondary" sx={{ mt: 1 }}>
                {detail}
              </Typography>
            </Card>
          </Grid>
        ))}
      </Grid>
    </section>
  );
}
