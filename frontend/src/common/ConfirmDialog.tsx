/** Asks before something is lost, naming it; shows what still refers to it, and lets that be overruled. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Stack from "@mui/material/Stack";
import { type ReactNode, useId, useState } from "react";
import { Refused } from "./useAct";

interface Props {
  title: string;
  action: string;
  /** What to do; `force` once the user has seen what refers to the thing and goes on. */
  onConfirm: (force: boolean) => Promise<void>;
  onClose: () => void;
  children: ReactNode;
}

export function ConfirmDialog({ title, action, onConfirm, onClose, children }: Props) {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refused | null>(null);
  const titleId = useId();
  const inUse = (refusal?.references.length ?? 0) > 0;

  async function confirm() {
    setBusy(true);
    try {
      await onConfirm(inUse);
      onClose();
    } catch (error) {
      setRefusal(error instanceof Refused ? error : new Refused({ message: String(error) }));
      setBusy(false);
    }
  }

  return (
    <Dialog
      open
      onClose={onClose}
      fullWidth
      maxWidth="xs"
      role="alertdialog"
      aria-labelledby={titleId}
    >
      <DialogTitle id={titleId}>{title}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          <div>{children}</div>
          {refusal && <Alert severity="warning">{refusal.message}</Alert>}
          {inUse && <References names={refusal?.references ?? []} />}
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose} autoFocus>
          Cancel
        </Button>
        <Button color="error" variant="contained" loading={busy} onClick={() => void confirm()}>
          {inUse ? `${action} anyway` : action}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

function References({ names }: { names: readonly string[] }) {
  return (
    <ul style={{ margin: 0 }}>
      {names.map((each) => (
        <li key={each}>{each}</li>
      ))}
    </ul>
  );
}
