/** A model's prices: what it cost when, and a new one from now or later on. */
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { when, words } from "../../common/format";
import { price } from "../../common/money";
import { Loading, Problem } from "../../common/states";
import { useAct } from "../../common/useAct";
import {
  type ModelRowFragment,
  type PriceFieldsFragment,
  PricesDocument,
  SetModelPriceDocument,
} from "../../gql/model";
import { PRICE_FIELDS, PriceFields } from "./PriceFields";
import { PriceChart } from "./PriceChart";
import { PARTS, priceInput, typedOf } from "./price";

interface Props {
  model: ModelRowFragment;
  onDone: (text: string) => void;
  onClose: () => void;
}

export function PriceDialog({ model, onDone, onClose }: Props) {
  const [typed, setTyped] = useState(() => typedOf(model.currentPrice));
  const [from, setFrom] = useState("");
  const set = useAct(SetModelPriceDocument);

  async function save() {
    const validFrom = from ? new Date(from).toISOString() : null;
    await set({ input: { model: model.id, price: priceInput(typed), validFrom } });
    onDone(`${model.reference} has a new price.`);
  }

  return (
    <FormDialog
      title={`Price of ${model.reference}`}
      submitLabel="Set price"
      fields={[...PRICE_FIELDS, "validFrom"]}
      onSubmit={save}
      onClose={onClose}
    >
      <PriceFields typed={typed} setTyped={setTyped} required />
      <Field
        name="validFrom"
        label="From (your time)"
        type="datetime-local"
        value={from}
        onChange={setFrom}
        helperText="Empty: from now on. What was charged before stays."
        slotProps={{ inputLabel: { shrink: true } }}
      />
      <Typography variant="h2">History</Typography>
      <History reference={model.reference} />
    </FormDialog>
  );
}

function History({ reference }: { reference: string }) {
  const [{ data, error }] = useQuery({
    query: PricesDocument,
    variables: { reference },
    requestPolicy: "network-only",
  });
  if (error) return <Problem message={messageOf(error)} />;
  if (!data) return <Loading rows={2} label="Loading prices" />;
  const prices = data.model?.prices.nodes ?? [];
  if (prices.length === 0) return <Typography color="textSecondary">No price yet.</Typography>;
  return (
    <>
      <PriceChart prices={prices} />
      <TableContainer tabIndex={0}>
        <Table size="small" aria-label={`Prices of ${reference}`}>
          <TableHead>
            <TableRow>
              <TableCell>From</TableCell>
              {PARTS.map(([part, label]) => (
                <TableCell key={part} align="right">
                  {label}
                </TableCell>
              ))}
              <TableCell>Source</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {prices.map((each) => (
              <HistoryRow key={each.id} row={each} />
            ))}
          </TableBody>
        </Table>
      </TableContainer>
    </>
  );
}

function HistoryRow({ row }: { row: PriceFieldsFragment }) {
  return (
    <TableRow>
      <TableCell sx={{ whiteSpace: "nowrap" }}>{when(row.validFrom)}</TableCell>
      {PARTS.map(([part]) => {
        const amount = row[part];
        return (
          <TableCell key={part} align="right">
            {amount === null ? "–" : price(amount)}
          </TableCell>
        );
      })}
      <TableCell>{words(row.source)}</TableCell>
    </TableRow>
  );
}
