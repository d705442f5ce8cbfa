/** One wallet: what is in it, what is held, and every movement. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import Grid from "@mui/material/Grid";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { mdiWalletOutline } from "@mdi/js";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { useNotice } from "../../common/notice";
import { dollars } from "../../common/money";
import { Empty, Loading, Problem } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useKeyset } from "../../common/useKeyset";
import { useIsAdmin } from "../../common/viewer";
import {
  type EntryRowFragment,
  UnfreezeWalletDocument,
  WalletDocument,
  type WalletFieldsFragment,
} from "../../gql/credit";
import { RequestDialog } from "../request/RequestDialog";
import { Ledger } from "./Ledger";
import { useBalance } from "./useBalance";
import { Adjust, CreditLimit, Freeze, Refund, TopUp } from "./WalletForms";

type Open =
  | { command: "topUp" | "adjust" | "freeze" | "limit" }
  | { command: "refund"; entry: EntryRowFragment }
  | { command: "request"; id: string };

/** `owner` is the id of the wallet, or of the person or organisation whose it is. */
export function WalletView({ owner }: { owner: string }) {
  const keyset = useKeyset(25);
  const context = useMemo(() => ({ additionalTypenames: ["Wallet", "WalletEntry"] }), []);
  const variables = { id: owner, ...keyset.position };
  const [{ data, error }, refetch] = useQuery({ query: WalletDocument, variables, context });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  useBalance(owner, data?.wallet, refresh);
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const notice = useNotice();
  const isAdmin = useIsAdmin();
  const wallet = data?.wallet;
  if (error && !data) return <Problem message={messageOf(error)} retry={refresh} />;
  if (!data) return <Loading />;
  if (!wallet) {
    return (
      <Empty icon={mdiWalletOutline} title="No such wallet">
        It is not there, or not yours to see.
      </Empty>
    );
  }
  const name = wallet.organization?.name ?? wallet.user?.name ?? "you";

  function done(text: string) {
    close();
    notice(text);
    refresh();
  }

  const form = { wallet, name, onDone: done, onClose: close };
  return (
    <Stack spacing={2}>
      {wallet.frozen && <Alert severity="warning">Frozen: {wallet.frozenReason}</Alert>}
      <Figures wallet={wallet} />
      {isAdmin && <Commands wallet={wallet} open={setOpen} onDone={done} />}
      <Ledger
        name={name}
        connection={wallet.entries}
        keyset={keyset}
        refund={isAdmin ? (entry) => setOpen({ command: "refund", entry }) : null}
        show={(id) => setOpen({ command: "request", id })}
      />
      {open?.command === "topUp" && <TopUp {...form} />}
      {open?.command === "adjust" && <Adjust {...form} />}
      {open?.command === "freeze" && <Freeze {...form} />}
      {open?.command === "limit" && <CreditLimit {...form} />}
      {open?.command === "refund" && <Refund entry={open.entry} onDone={done} onClose={close} />}
      {open?.command === "request" && <RequestDialog id={open.id} onClose={close} />}
    </Stack>
  );
}

function Figures({ wallet }: { wallet: WalletFieldsFragment }) {
  const { balance, held, available, creditLimit, debt } = wallet;
  const figures = [
    ["Available", available, "what a request may still cost"],
    ["Balance", balance, "all movements together"],
    ["Held", held, "for requests that are running"],
    ["Credit limit", creditLimit, "how far below zero it may go"],
    ...(Number(debt) > 0 ? [["Debt", debt, "what could not be covered"]] : []),
  ] as const;
  return (
    <Grid container spacing={2}>
      {figures.map(([label, amount, about]) => (
        <Grid key={label} size={{ xs: 6, md: 3 }}>
          <Card variant="outlined" sx={{ p: 2, height: "100%" }}>
            <Typography variant="body2" color="textSecondary">
              {label}
            </Typography>
            <Typography variant="h1" component="p" title={`exactly $${amount}`}>
              {dollars(String(amount))}
            </Typography>
            <Typography variant="caption" color="textSecondary">
              {about}
            </Typography>
          </Card>
        </Grid>
      ))}
    </Grid>
  );
}

interface CommandProps {
  wallet: WalletFieldsFragment;
  open: (open: Open) => void;
  onDone: (text: string) => void;
}

function Commands({ wallet, open, onDone }: CommandProps) {
  const unfreeze = useAct(UnfreezeWalletDocument);
  const notice = useNotice();

  async function release() {
    const { id, version } = wallet;
    await unfreeze({ input: { wallet: id, expectedVersion: version } }).then(
      () => onDone("It is unfrozen."),
      (refused: Error) => notice(refused.message),
    );
  }

  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: "wrap" }}>
      <Button variant="contained" onClick={() => open({ command: "topUp" })}>
        Add credits
      </Button>
      <Button variant="outlined" onClick={() => open({ command: "adjust" })}>
        Adjust
      </Button>
      <Button variant="outlined" onClick={() => open({ command: "limit" })}>
        Credit limit
      </Button>
      {wallet.frozen ? (
        <Button variant="outlined" onClick={() => void release()}>
          Unfreeze
        </Button>
      ) : (
        <Button variant="outlined" color="error" onClick={() => open({ command: "freeze" })}>
          Freeze
        </Button>
      )}
    </Stack>
  );
}
