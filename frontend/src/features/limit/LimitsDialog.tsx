/** What an API key, a person or an organisation may spend at most. */
import InputAdornment from "@mui/material/InputAdornment";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { parseAmount } from "../../common/money";
import { Loading, Problem } from "../../common/states";
import { Refused, useAct } from "../../common/useAct";
import { type LimitFieldsFragment, LimitsDocument, SetLimitsDocument } from "../../gql/limit";

const BOUNDS = [
  ["spendPerDay", "In one day", "From midnight UTC; only on keys that are not one's own."],
  ["spendPerMonth", "In one month", "A calendar month in UTC."],
  ["maxCost", "For one request", "At worst: its answer is cut short, or it is refused."],
] as const;
type Bound = (typeof BOUNDS)[number][0];
type Typed = Record<Bound, string>;

interface Props {
  /** The id of whom they bind. */
  owner: string;
  name: string;
  onDone: (text: string) => void;
  onClose: () => void;
}

export function LimitsDialog({ owner, name, onDone, onClose }: Props) {
  const [{ data, error }] = useQuery({
    query: LimitsDocument,
    variables: { id: owner },
    requestPolicy: "network-only",
  });
  const known = data?.node && "limits" in data.node ? data.node.limits : undefined;
  const [changed, setChanged] = useState<Partial<Typed>>({});
  const typed = { ...typedOf(known), ...changed };
  const set = useAct(SetLimitsDocument);

  async function save() {
    await set({ input: { owner, limits: limitsOf(typed) } });
    onDone(`The limits of ${name} are in force.`);
  }

  return (
    <FormDialog
      title={`Limits of ${name}`}
      submitLabel="Save"
      fields={BOUNDS.map(([bound]) => bound)}
      onSubmit={save}
      onClose={onClose}
    >
      <Typography color="textSecondary">
        US dollars. Empty: no limit of its own; those of its person and organisation hold as well.
      </Typography>
      {error && <Problem message={messageOf(error)} />}
      {!data && !error && <Loading rows={3} />}
      {known &&
        BOUNDS.map(([bound, label, hint]) => (
          <Field
            key={bound}
            name={bound}
            label={label}
            value={typed[bound]}
            onChange={(value) => setChanged({ ...changed, [bound]: value })}
            helperText={hint}
            slotProps={DOLLARS}
          />
        ))}
    </FormDialog>
  );
}

function typedOf(limits: LimitFieldsFragment | undefined): Typed {
  const text = (bound: Bound) => limits?.[bound] ?? "";
  return {
    spendPerDay: text("spendPerDay"),
    spendPerMonth: text("spendPerMonth"),
    maxCost: text("maxCost"),
  };
}

/** Throws Refused that names what is no amount. */
function limitsOf(typed: Typed) {
  const read = (bound: Bound) => {
    if (typed[bound].trim() === "") return null;
    const amount = parseAmount(typed[bound]);
    if (amount !== null) return amount;
    throw new Refused({ message: "Dollars: for example 25.00.", field: bound });
  };
  return {
    spendPerDay: read("spendPerDay"),
    spendPerMonth: read("spendPerMonth"),
    maxCost: read("maxCost"),
  };
}

const DOLLARS = {
  htmlInput: { inputMode: "decimal" as const },
  input: { startAdornment: <InputAdornment position="start">$</InputAdornment> },
};
