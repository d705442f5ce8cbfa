/** The Models tab: the catalogue with prices, levels and health, page by page. */
import Button from "@mui/material/Button";
import { mdiCubeOutline, mdiPlus, mdiRadar } from "@mdi/js";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { Icon } from "../../common/Icon";
import type { Order } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Page } from "../../common/Page";
import { Empty, Problem } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useDebounced } from "../../common/useDebounced";
import { useKeyset } from "../../common/useKeyset";
import { useLast } from "../../common/useLast";
import { useNarrow } from "../../common/useNarrow";
import { switched, useOptimistic } from "../../common/useOptimistic";
import { useIsAdmin } from "../../common/viewer";
import {
  type Capability,
  DeleteModelDocument,
  type ModelOrderField,
  type ModelRowFragment,
  ModelsDocument,
  type OrderDirection,
  type PowerLevel,
  UpdateModelDocument,
} from "../../gql/model";
import { BandsChart } from "./BandsChart";
import type { Run } from "./columns";
import { DiscoveryDialog } from "./DiscoveryDialog";
import { Filters, type Narrowing } from "./Filters";
import { AddModel, EditModel } from "./ModelForm";
import { ModelList, useColumns } from "./ModelList";
import { PriceDialog } from "./PriceDialog";

const PAGE = { wide: 50, narrow: 20 };
const ALL: Narrowing = { search: "", provider: "", level: "", enabled: "", capability: "" };
const FIRST: Order = { field: "REFERENCE", descending: false };

type Open =
  | { command: "add" | "discover" }
  | { command: "edit" | "price" | "delete"; model: ModelRowFragment };

export function Models() {
  const [narrowing, setNarrowing] = useState(ALL);
  const [order, setOrder] = useState(FIRST);
  const [moment, setMoment] = useState(0);
  const keyset = useKeyset(useNarrow() ? PAGE.narrow : PAGE.wide);
  const settled = useDebounced(narrowing);
  const filter = useMemo(() => filterOf(settled), [settled]);
  const variables = { filter, orderBy: orderOf(order), ...keyset.position };
  const context = useMemo(() => ({ additionalTypenames: ["Model", "Price"] }), []);
  const [{ data, error, fetching }, refetch] = useQuery({
    query: ModelsDocument,
    variables,
    context,
  });
  const refresh = () => {
    refetch({ requestPolicy: "network-only" });
    setMoment((count) => count + 1);
  };

  const isAdmin = useIsAdmin();
  const [parameters, setParameters] = useSearchParams();
  const asked = isAdmin ? parameters.get("discover") : null;
  const [open, setOpen] = useState<Open | null>(asked === null ? null : { command: "discover" });
  const notice = useNotice();
  const update = useAct(UpdateModelDocument);
  const close = () => {
    setOpen(null);
    if (asked !== null) setParameters({}, { replace: true });
  };

  const connection = useLast(data?.models);
  const { shown, change } = useOptimistic(connection?.nodes, ({ id }) => id);

  function done(text: string) {
    close();
    notice(text);
    refresh();
  }

  const run: Run = (command, model) => {
    if (command !== "toggle") return setOpen({ command, model });
    const enabled = !model.enabled;
    const set = () => update({ input: { id: model.id, enabled } });
    void change(model, { enabled }, set, switched(model.reference, enabled)).then(refresh);
  };
  const columns = useColumns(isAdmin ? run : null);

  const add = isAdmin && (
    <>
      <Button
        variant="outlined"
        startIcon={<Icon path={mdiRadar} />}
        onClick={() => setOpen({ command: "discover" })}
      >
        Discover
      </Button>
      <Button
        variant="contained"
        startIcon={<Icon path={mdiPlus} />}
        onClick={() => setOpen({ command: "add" })}
      >
        Add a model
      </Button>
    </>
  );

  function narrow(value: Narrowing) {
    setNarrowing(value);
    keyset.restart();
  }

  return (
    <Page
      title="Models"
      about="What can be asked for, what it costs and how it performs."
      actions={add}
    >
      <Filters value={narrowing} onChange={narrow} />
      <BandsChart
        filter={filter}
        moment={moment}
        onChoose={(search) => narrow({ ...narrowing, search })}
      />
      {error && !connection ? (
        <Problem message={messageOf(error)} retry={refresh} />
      ) : (
        <ModelList
          columns={columns}
          rows={shown}
          busy={fetching}
          page={connection?.pageInfo}
          total={connection?.totalCount}
          keyset={keyset}
          order={order}
          onOrder={(next) => {
            setOrder(next);
            keyset.restart();
          }}
          empty={<NoModels narrowed={narrowing !== ALL} action={add} />}
        />
      )}
      {open?.command === "add" && <AddModel onDone={done} onClose={close} />}
      {open?.command === "discover" && (
        <DiscoveryDialog
          first={asked}
          onDone={(text, provider) => {
            done(text);
            narrow({ ...ALL, provider });
          }}
          onClose={close}
        />
      )}
      {open?.command === "edit" && <EditModel model={open.model} onDone={done} onClose={close} />}
      {open?.command === "price" && (
        <PriceDialog model={open.model} onDone={done} onClose={close} />
      )}
      {open?.command === "delete" && (
        <DeleteModel model={open.model} onDone={done} onClose={close} />
      )}
    </Page>
  );
}

function filterOf({ search, provider, level, enabled, capability }: Narrowing) {
  return {
    search: search.trim() || null,
    provider: provider || null,
    level: (level || null) as PowerLevel | null,
    capabilities: capability ? [capability as Capability] : null,
    enabled: enabled === "" ? null : enabled === "true",
  };
}

function orderOf({ field, descending }: Order) {
  const direction: OrderDirection = descending ? "DESC" : "ASC";
  return { field: field as ModelOrderField, direction };
}

function NoModels({ narrowed, action }: { narrowed: boolean; action: React.ReactNode }) {
  if (narrowed) {
    return (
      <Empty icon={mdiCubeOutline} title="No model matches">
        Search for less, or take a filter away.
      </Empty>
    );
  }
  return (
    <Empty icon={mdiCubeOutline} title="No model yet" action={action} guide="first-steps">
      Ask a provider what it serves, or add models by hand, each with its price per 1M tokens:
      without a price “auto” does not choose it.
    </Empty>
  );
}

interface DeleteProps {
  model: ModelRowFragment;
  onDone: (text: string) => void;
  onClose: () => void;
}

function DeleteModel({ model, onDone, onClose }: DeleteProps) {
  const remove = useAct(DeleteModelDocument);
  return (
    <ConfirmDialog
      title={`Delete ${model.reference}?`}
      action="Delete"
      onClose={onClose}
      onConfirm={async (force) => {
        await remove({ input: { id: model.id, force } });
        onDone(`${model.reference} was deleted.`);
      }}
    >
      Its prices go with it. Usage keeps what was charged.
    </ConfirmDialog>
  );
}
