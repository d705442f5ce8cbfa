/** A form in a dialog: busy while it is sent, the server's refusal shown where it belongs. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Stack from "@mui/material/Stack";
import useMediaQuery from "@mui/material/useMediaQuery";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import { RefusalContext } from "./fields";
import { Refused } from "./useAct";

interface Props {
  title: string;
  submitLabel: string;
  /** Names of the fields that show their own complaint. */
  fields?: readonly string[];
  onSubmit: () => Promise<void>;
  onClose: () => void;
  children: ReactNode;
}

export function FormDialog({ title, submitLabel, fields, onSubmit, onClose, children }: Props) {
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refused | null>(null);
  const fullScreen = useMediaQuery("(max-width: 600px)");
  const titleId = useId();

  async function submit(event: FormEvent) {
    event.preventDefault();
    // A dialog opened from within another's form must not submit that one too.
    event.stopPropagation();
    setBusy(true);
    setRefusal(null);
    try {
      await onSubmit();
    } catch (error) {
      setRefusal(error instanceof Refused ? error : new Refused({ message: String(error) }));
    } finally {
      setBusy(false);
    }
  }

  const elsewhere = refusal && !fields?.includes(refusal.field ?? "");
  return (
    <Dialog
      open
      onClose={onClose}
      fullWidth
      maxWidth="sm"
      {...{ fullScreen }}
      aria-labelledby={titleId}
    >
      <form onSubmit={submit} style={{ display: "contents" }}>
        <DialogTitle id={titleId}>{title}</DialogTitle>
        <DialogContent dividers>
          <RefusalContext value={refusal}>
            <Stack spacing={2}>
              {elsewhere && <Alert severity="error">{refusal.message}</Alert>}
              {children}
            </Stack>
          </RefusalContext>
        </DialogContent>
        <DialogActions>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="contained" loading={busy}>
            {submitLabel}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
