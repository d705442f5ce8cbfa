/** What an API key, a person or an organisation may spend and ask at most. */
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
const RATES = [
  ["requestsPerMinute", "Requests in a minute", "On all replicas together."],
  ["tokensPerMinute", "Tokens in a minute", "Of prompts and answers together."],
  ["concurrency", "Requests at the same time", "On all replicas together."],
] as const;
type Bound = (typeof BOUNDS)[number][0];
type Rate = (typeof RATES)[number][0];
type Typed = Record<Bound | Rate, string>;

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
      fields={[...BOUNDS, ...RATES].map(([limit]) => limit)}
      onSubmit={save}
      onClose={onClose}
    >
      <Typography color="textSecondary">
        Money in US dollars. Empty: no limit of its own; those of its person and organisation hold
        as well.
      </Typography>
      {error && <Problem message={messageOf(error)} />}
      {!data && !error && <Loading rows={3} />}
      {known &&
        [...BOUNDS, ...RATES].map(([limit, label, hint]) => (
          <Field
            key={limit}
            name={limit}
            label={label}
            value={typed[limit]}
            onChange={(value) => setChanged({ ...changed, [limit]: value })}
            helperText={hint}
            slotProps={isRate(limit) ? NUMBER : DOLLARS}
          />
        ))}
    </FormDialog>
  );
}

function isRate(limit: Bound | Rate): limit is Rate {
  return RATES.some(([rate]) => rate === limit);
}

function typedOf(limits: LimitFieldsFragment | undefined): Typed {
  const text = (limit: Bound | Rate) => String(limits?.[limit] ?? "");
  return {
    spendPerDay: text("spendPerDay"),
    spendPerMonth: text("spendPerMonth"),
    maxCost: text("maxCost"),
    requestsPerMinute: text("requestsPerMinute"),
    tokensPerMinute: text("tokensPerMinute"),
    concurrency: text("concurrency"),
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
  const count = (rate: Rate) => {
    const text = typed[rate].trim();
    if (text === "") return null;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw new Refused({ message: "A whole number, for example 60.", field: rate });
  };
  return {
    spendPerDay: read("spendPerDay"),
    spendPerMonth: read("spendPerMonth"),
    maxCost: read("maxCost"),
    requestsPerMinute: count("requestsPerMinute"),
    tokensPerMinute: count("tokensPerMinute"),
    concurrency: count("concurrency"),
  };
}

const NUMBER = { htmlInput: { inputMode: "numeric" as const } };
const DOLLARS = {
  htmlInput: { inputMode: "decimal" as const },
  input: { startAdornment: <InputAdornment position="start">$</InputAdornment> },
};
