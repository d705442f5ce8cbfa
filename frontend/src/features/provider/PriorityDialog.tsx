/** Puts providers in the order in which they are preferred, by dragging or by buttons. */
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { FormDialog } from "../../common/FormDialog";
import { OrderedList } from "../../common/OrderedList";
import { Loading, Problem } from "../../common/states";
import { useAct } from "../../common/useAct";
import { ProviderOrderDocument, UpdateProviderDocument } from "../../gql/provider";

const STEP = 10;

interface Props {
  onDone: (text: string) => void;
  onClose: () => void;
}

export function PriorityDialog({ onDone, onClose }: Props) {
  const [{ data, error }] = useQuery({
    query: ProviderOrderDocument,
    requestPolicy: "network-only",
  });
  const known = data?.providers.nodes;
  const [order, setOrder] = useState<readonly string[] | null>(null);
  const ids = order ?? known?.map(({ id }) => id) ?? [];
  const update = useAct(UpdateProviderDocument);

  async function save() {
    for (const [index, id] of ids.entries()) {
      const found = known?.find((each) => each.id === id);
      const priority = (index + 1) * STEP;
      if (!found || found.priority === priority) continue;
      // One after the other, so that what fails leaves an order that can be read.
      // oxlint-disable-next-line no-await-in-loop
      await update({ input: { id, priority, expectedVersion: found.version } });
    }
    onDone("The order is in force.");
  }

  return (
    <FormDialog title="Order of providers" submitLabel="Save" onSubmit={save} onClose={onClose}>
      <Typography color="textSecondary">
        The first is preferred where all else is equal; everywhere, when the rules put a
        provider&apos;s priority before everything else.
      </Typography>
      {error && <Problem message={messageOf(error)} />}
      {!known && !error && <Loading />}
      <OrderedList
        label="Providers in order"
        items={ids}
        nameOf={(id) => known?.find((each) => each.id === id)?.name ?? id}
        onChange={setOrder}
      />
    </FormDialog>
  );
}
