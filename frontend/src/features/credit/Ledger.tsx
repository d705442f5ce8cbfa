/** Every movement of a wallet, the newest first; none can ever be changed. */
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Typography from "@mui/material/Typography";
import { mdiFormatListNumbered } from "@mdi/js";
import { when, words } from "../../common/format";
import { type Column, ListTable } from "../../common/ListTable";
import { dollars } from "../../common/money";
import { Pager } from "../../common/Pager";
import { Empty } from "../../common/states";
import type { Keyset } from "../../common/useKeyset";
import type { EntryRowFragment, WalletQuery } from "../../gql/credit";

interface Props {
  name: string;
  connection: NonNullable<WalletQuery["wallet"]>["entries"];
  keyset: Keyset;
  /** Null for those who may only look. */
  refund: ((entry: EntryRowFragment) => void) | null;
  show: (request: string) => void;
}

export function Ledger({ name, connection, keyset, refund, show }: Props) {
  return (
    <ListTable
      label={`Ledger of ${name}`}
      columns={columnsOf(refund, show)}
      rows={connection.nodes}
      keyOf={({ id }) => id}
      empty={
        <Empty icon={mdiFormatListNumbered} title="Nothing has moved yet">
          Top-ups, grants and the charges of requests appear here, each with the balance after it.
        </Empty>
      }
      footer={
        <Pager
          page={connection.pageInfo}
          keyset={keyset}
          total={connection.totalCount}
          noun="movements"
        />
      }
    />
  );
}

const COLOURS = {
  TOP_UP: "success",
  GRANT: "success",
  ADJUST: "info",
  REFUND: "warning",
  CHARGE: "default",
} as const;

const REFUNDABLE: readonly string[] = ["TOP_UP", "GRANT", "CHARGE"];

function columnsOf(
  refund: Props["refund"],
  show: (request: string) => void,
): Column<EntryRowFragment>[] {
  const shown: Column<EntryRowFragment>[] = [
    { label: "When", render: ({ at }) => when(at) },
    {
      label: "What",
      render: ({ kind }) => (
        <Chip size="small" variant="outlined" color={COLOURS[kind]} label={words(kind)} />
      ),
    },
    { label: "Amount", numeric: true, render: (entry) => <Amount entry={entry} /> },
    { label: "Balance", numeric: true, render: ({ balance }) => dollars(balance) },
    { label: "For", render: (entry) => <For entry={entry} show={show} /> },
    { label: "By", minor: true, render: ({ actor }) => actor?.name ?? "–" },
  ];
  if (!refund) return shown;
  return [
    ...shown,
    {
      label: "Actions",
      actions: true,
      render: (entry) =>
        REFUNDABLE.includes(entry.kind) && (
          <Button size="small" onClick={() => refund(entry)}>
            Refund
          </Button>
        ),
    },
  ];
}

function Amount({ entry: { amount, refunded } }: { entry: EntryRowFragment }) {
  const isGain = !amount.startsWith("-");
  return (
    <>
      <Typography
        component="span"
        title={`exactly $${amount}`}
        sx={{ fontWeight: 600, color: isGain ? "success.main" : undefined }}
      >
        {isGain && "+"}
        {dollars(amount)}
      </Typography>
      {Number(refunded) !== 0 && (
        <Typography variant="caption" color="textSecondary" sx={{ display: "block" }}>
          {dollars(refunded)} refunded
        </Typography>
      )}
    </>
  );
}

interface ForProps {
  entry: EntryRowFragment;
  show: (request: string) => void;
}

function For({ entry: { reason, request, refersTo }, show }: ForProps) {
  return (
    <>
      {reason}
      {request && (
        <Button size="small" onClick={() => show(request.id)}>
          Request for {request.requestedModel}
        </Button>
      )}
      {refersTo && (
        <Typography variant="caption" color="textSecondary" sx={{ display: "block" }}>
          of the {words(refersTo.kind).toLowerCase()} of {when(refersTo.at)}
        </Typography>
      )}
    </>
  );
}
