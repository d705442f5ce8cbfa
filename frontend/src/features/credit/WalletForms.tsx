/** Moves credits, each with a reason and each once: top-up, grant, adjustment, refund; freeze and limit. */
import InputAdornment from "@mui/material/InputAdornment";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { Choice, Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { words } from "../../common/format";
import { useIdempotencyKey } from "../../common/idempotency";
import { dollars, parseAmount } from "../../common/money";
import { Refused, useAct } from "../../common/useAct";
import {
  AdjustWalletDocument,
  type CreditKind,
  CreditWalletDocument,
  type EntryRowFragment,
  FreezeWalletDocument,
  RefundTransferDocument,
  SetCreditLimitDocument,
  type WalletFieldsFragment,
} from "../../gql/credit";

const FIELDS = ["amount", "reason", "creditLimit"];
const KINDS: readonly (readonly [CreditKind, string])[] = [
  ["TOP_UP", "Top-up: it was paid in"],
  ["GRANT", "Grant: it is given"],
];

interface Props {
  wallet: WalletFieldsFragment;
  /** Whose it is. */
  name: string;
  onDone: (text: string) => void;
  onClose: () => void;
}

/** Throws Refused, naming the field, when the text is no amount. */
function amountOf(typed: string, field = "amount"): string {
  const amount = parseAmount(typed);
  if (amount === null) {
    throw new Refused({ message: "Dollars, with at most 9 decimals: for example 25.00.", field });
  }
  return amount;
}

export function TopUp({ wallet, name, onDone, onClose }: Props) {
  const [kind, setKind] = useState<CreditKind>("TOP_UP");
  const { fields, values } = useMovement();
  const idempotencyKey = useIdempotencyKey();
  const credit = useAct(CreditWalletDocument);

  async function save() {
    const amount = amountOf(values.amount);
    const input = { wallet: wallet.id, amount, reason: values.reason, kind, idempotencyKey };
    await credit({ input });
    onDone(`${name} has ${dollars(amount)} more.`);
  }

  return (
    <FormDialog
      title={`Add credits to ${name}`}
      submitLabel="Add"
      fields={FIELDS}
      onSubmit={save}
      onClose={onClose}
    >
      <Choice name="kind" label="What it is" value={kind} onChange={setKind} options={KINDS} />
      {fields}
    </FormDialog>
  );
}

export function Adjust({ wallet, name, onDone, onClose }: Props) {
  const { fields, values } = useMovement("Above 0 is added, below 0 taken.");
  const idempotencyKey = useIdempotencyKey();
  const adjust = useAct(AdjustWalletDocument);

  async function save() {
    const amount = amountOf(values.amount);
    await adjust({ input: { wallet: wallet.id, amount, reason: values.reason, idempotencyKey } });
    onDone(`${name} was adjusted by ${dollars(amount)}.`);
  }

  return (
    <FormDialog
      title={`Adjust the credits of ${name}`}
      submitLabel="Adjust"
      fields={FIELDS}
      onSubmit={save}
      onClose={onClose}
    >
      {fields}
    </FormDialog>
  );
}

export function Refund({
  entry,
  onDone,
  onClose,
}: Omit<Props, "wallet" | "name"> & {
  entry: EntryRowFragment;
}) {
  const { fields, values } = useMovement("Empty: all that has not been refunded yet.", false);
  const idempotencyKey = useIdempotencyKey();
  const refund = useAct(RefundTransferDocument);

  async function save() {
    const amount = values.amount.trim() === "" ? null : amountOf(values.amount);
    await refund({ input: { entry: entry.id, amount, reason: values.reason, idempotencyKey } });
    onDone("It was refunded.");
  }

  return (
    <FormDialog
      title={`Refund the ${words(entry.kind).toLowerCase()} of ${dollars(entry.amount)}`}
      submitLabel="Refund"
      fields={FIELDS}
      onSubmit={save}
      onClose={onClose}
    >
      <Typography color="textSecondary">
        {dollars(entry.refunded)} of it has been refunded so far. The movement itself stays in the
        ledger.
      </Typography>
      {fields}
    </FormDialog>
  );
}

export function Freeze({ wallet, name, onDone, onClose }: Props) {
  const [reason, setReason] = useState("");
  const freeze = useAct(FreezeWalletDocument);

  async function save() {
    await freeze({ input: { wallet: wallet.id, expectedVersion: wallet.version, reason } });
    onDone(`The wallet of ${name} is frozen.`);
  }

  return (
    <FormDialog
      title={`Freeze the wallet of ${name}`}
      submitLabel="Freeze"
      fields={FIELDS}
      onSubmit={save}
      onClose={onClose}
    >
      <Typography>
        Requests that it would pay for are refused while credits are enforced, until it is unfrozen.
      </Typography>
      <Reason value={reason} onChange={setReason} />
    </FormDialog>
  );
}

export function CreditLimit({ wallet, name, onDone, onClose }: Props) {
  const [limit, setLimit] = useState(wallet.creditLimit);
  const set = useAct(SetCreditLimitDocument);

  async function save() {
    const creditLimit = amountOf(limit, "creditLimit");
    await set({ input: { wallet: wallet.id, creditLimit, expectedVersion: wallet.version } });
    onDone(`${name} may go ${dollars(creditLimit)} below zero.`);
  }

  return (
    <FormDialog
      title={`Credit limit of ${name}`}
      submitLabel="Save"
      fields={FIELDS}
      onSubmit={save}
      onClose={onClose}
    >
      <Field
        name="creditLimit"
        label="How far below zero it may go"
        required
        value={limit}
        onChange={setLimit}
        slotProps={DOLLARS}
      />
    </FormDialog>
  );
}

function useMovement(hint?: string, required = true) {
  const [amount, setAmount] = useState("");
  const [reason, setReason] = useState("");
  const fields = (
    <>
      <Field
        name="amount"
        label={required ? "Amount" : "Amount (optional)"}
        required={required}
        autoFocus
        value={amount}
        onChange={setAmount}
        helperText={hint}
        slotProps={DOLLARS}
      />
      <Reason value={reason} onChange={setReason} />
    </>
  );
  return { fields, values: { amount, reason } };
}

function Reason({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <Field
      name="reason"
      label="Reason"
      required
      value={value}
      onChange={onChange}
      helperText="Kept in the ledger and the audit log."
    />
  );
}

const DOLLARS = {
  htmlInput: { inputMode: "decimal" as const },
  input: { startAdornment: <InputAdornment position="start">$</InputAdornment> },
};
