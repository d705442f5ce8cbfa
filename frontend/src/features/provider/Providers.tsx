/** The Providers tab: every upstream with its health, speed and keys. */
import Button from "@mui/material/Button";
import TextField from "@mui/material/TextField";
import { mdiPlus, mdiServerNetwork, mdiSort } from "@mdi/js";
import { useMemo, useState } from "react";
import { useNavigate } from "react-router";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { Icon } from "../../common/Icon";
import { ListTable } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Page } from "../../common/Page";
import { Pager } from "../../common/Pager";
import { Empty } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useDebounced } from "../../common/useDebounced";
import { useKeyset } from "../../common/useKeyset";
import { switched, useOptimistic } from "../../common/useOptimistic";
import { usePolling } from "../../common/usePolling";
import { useIsAdmin } from "../../common/viewer";
import {
  DeleteProviderDocument,
  ProvidersDocument,
  TestProviderDocument,
  UpdateProviderDocument,
} from "../../gql/provider";
import { type Command, columnsOf } from "./columns";
import { Credentials } from "./Credentials";
import { PriorityDialog } from "./PriorityDialog";
import { AddProvider, EditProvider } from "./ProviderForm";
import { type Tested, TestResult } from "./TestResult";
import { keyCountOf, type ProviderRow } from "./row";
import { useLiveHealth } from "./useLiveHealth";

const PAGE = 25;
const REFRESH_MS = 60_000;

type Open =
  { command: "add" | "order" } | { command: "edit" | "keys" | "delete"; id: string } | null;

export function Providers() {
  const [search, setSearch] = useState("");
  const keyset = useKeyset(PAGE);
  const settled = useDebounced(search.trim());
  const isAdmin = useIsAdmin();
  const variables = { isAdmin, search: settled || null, ...keyset.position };
  const context = useMemo(() => ({ additionalTypenames: ["Provider", "Credential"] }), []);
  const [{ data, error }, refetch] = useQuery({ query: ProvidersDocument, variables, context });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  usePolling(refresh, REFRESH_MS);
  const live = useLiveHealth();

  const [open, setOpen] = useState<Open>(null);
  const [tested, setTested] = useState<{ name: string; tested: Tested } | null>(null);
  const notice = useNotice();
  const close = () => setOpen(null);

  function done(text: string) {
    close();
    notice(text);
    refresh();
  }

  const connection = data?.providers;
  const { shown, change } = useOptimistic(connection?.nodes, ({ id }) => id);
  const run = useCommands({ open: setOpen, setTested, refresh, change });
  const chosen = connection?.nodes.find(({ id }) => open && "id" in open && id === open.id);
  const add = (
    <Button
      variant="contained"
      startIcon={<Icon path={mdiPlus} />}
      onClick={() => setOpen({ command: "add" })}
    >
      Add a provider
    </Button>
  );
  const order = (
    <Button
      variant="outlined"
      startIcon={<Icon path={mdiSort} />}
      onClick={() => setOpen({ command: "order" })}
    >
      Order
    </Button>
  );

  return (
    <Page
      title="Providers"
      about="The upstreams that serve models, and how well they answer."
      actions={
        isAdmin && (
          <>
            {order}
            {add}
          </>
        )
      }
    >
      {tested && <TestResult {...tested} />}
      <TextField
        size="small"
        type="search"
        label="Search by name or slug"
        value={search}
        sx={{ maxWidth: 360 }}
        onChange={(event) => {
          setSearch(event.target.value);
          keyset.restart();
        }}
      />
      <ListTable
        label="Providers"
        columns={columnsOf(isAdmin ? run : null)}
        rows={shown?.map((each) => ({ ...each, health: live[each.id] ?? each.health }))}
        keyOf={({ id }) => id}
        problem={error && !connection ? messageOf(error) : null}
        retry={refresh}
        empty={<NoProviders searched={settled !== ""} action={isAdmin && add} />}
        footer={
          <Pager
            page={connection?.pageInfo}
            keyset={keyset}
            total={connection?.totalCount}
            noun="providers"
          />
        }
      />
      {open?.command === "order" && <PriorityDialog onDone={done} onClose={close} />}
      {open?.command === "add" && (
        <AddProvider
          known={connection?.nodes ?? []}
          onKeys={(id) => setOpen({ command: "keys", id })}
          onClose={() => {
            close();
            refresh();
          }}
          onDone={(name, found) => {
            setTested({ name, tested: found });
            done(`${name} was added.`);
          }}
        />
      )}
      {chosen && open?.command === "edit" && (
        <EditProvider
          provider={chosen}
          onClose={close}
          onDone={(name) => done(`${name} was saved.`)}
        />
      )}
      {chosen && open?.command === "keys" && (
        <Credentials provider={chosen} onClose={close} onChange={refresh} />
      )}
      {chosen && open?.command === "delete" && (
        <DeleteProvider provider={chosen} onClose={close} onDone={done} />
      )}
    </Page>
  );
}

interface Effects {
  open: (open: Open) => void;
  setTested: (found: { name: string; tested: Tested }) => void;
  refresh: () => void;
  change: ReturnType<typeof useOptimistic<ProviderRow>>["change"];
}

/** What the rows' buttons do: some act at once, the others open a dialog. */
function useCommands({ open, setTested, refresh, change }: Effects) {
  const notice = useNotice();
  const navigate = useNavigate();
  const test = useAct(TestProviderDocument);
  const update = useAct(UpdateProviderDocument);
  return async (command: Command, provider: ProviderRow) => {
    const { id, name, enabled } = provider;
    try {
      if (command === "test") {
        setTested({ name, tested: await test({ input: { id } }) });
        refresh();
      } else if (command === "toggle") {
        const set = () => update({ input: { id, enabled: !enabled } });
        await change(provider, { enabled: !enabled }, set, switched(name, !enabled));
        refresh();
      } else if (command === "discover") {
        await navigate(`/models?discover=${encodeURIComponent(id)}`);
      } else open({ command, id });
    } catch (error) {
      notice((error as Error).message);
    }
  };
}

function NoProviders({ searched, action }: { searched: boolean; action: React.ReactNode }) {
  if (searched) {
    return (
      <Empty icon={mdiServerNetwork} title="No provider matches">
        Search for part of a name or slug.
      </Empty>
    );
  }
  return (
    <Empty icon={mdiServerNetwork} title="No provider yet" action={action} guide="providers">
      Add an upstream such as OpenAI, OpenRouter or your own server, with its key. It is tested at
      once.
    </Empty>
  );
}

interface DeleteProps {
  provider: ProviderRow;
  onDone: (text: string) => void;
  onClose: () => void;
}

function DeleteProvider({ provider, onDone, onClose }: DeleteProps) {
  const remove = useAct(DeleteProviderDocument);
  const { id, name, models } = provider;
  return (
    <ConfirmDialog
      title={`Delete ${name}?`}
      action="Delete"
      onClose={onClose}
      onConfirm={async (force) => {
        await remove({ input: { id, force } });
        onDone(`${name} was deleted.`);
      }}
    >
      Its {models.totalCount} models and {keyCountOf(provider)} keys go with it. Usage keeps what
      was charged.
    </ConfirmDialog>
  );
}
