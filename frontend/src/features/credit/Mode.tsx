/** Whether credits are enforced, and what is charged on top of a provider's price. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { Choice, Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { percent } from "../../common/format";
import { Refused, useAct } from "../../common/useAct";
import {
  type CreditsMode,
  type CreditsQuery,
  UpdateCreditSettingsDocument,
} from "../../gql/credit";

type Settings = CreditsQuery["creditSettings"];

const MODES: readonly (readonly [CreditsMode, string])[] = [
  ["OFF", "Off: use is metered, not paid"],
  ["ENFORCED", "Enforced: a wallet must cover each request"],
];

interface Props {
  settings: Settings;
  /** Null for those who may only look. */
  onChange: ((text: string) => void) | null;
}

export function Mode({ settings, onChange }: Props) {
  const [open, setOpen] = useState(false);
  const { mode, markupBasisPoints } = settings;
  const markup =
    markupBasisPoints === 0 ? "" : ` ${percent(markupBasisPoints / 10_000)} are added to prices.`;
  return (
    <>
      <Alert
        severity={mode === "OFF" ? "info" : "success"}
        action={
          onChange && (
            <Button color="inherit" onClick={() => setOpen(true)}>
              Change
            </Button>
          )
        }
      >
        {mode === "OFF"
          ? "Credits are off: use is metered and costs nothing here."
          : "Credits are enforced: each request on the house's keys is held, then charged."}
        {markup}
      </Alert>
      {open && onChange && (
        <Change settings={settings} onDone={onChange} onClose={() => setOpen(false)} />
      )}
    </>
  );
}

interface ChangeProps {
  settings: Settings;
  onDone: (text: string) => void;
  onClose: () => void;
}

function Change({ settings, onDone, onClose }: ChangeProps) {
  const [mode, setMode] = useState(settings.mode);
  const [markup, setMarkup] = useState(String(settings.markupBasisPoints / 100));
  const update = useAct(UpdateCreditSettingsDocument);

  async function save() {
    const markupBasisPoints = Math.round(Number(markup.replace(",", ".")) * 100);
    if (!Number.isInteger(markupBasisPoints)) {
      throw new Refused({ message: "A percentage: for example 10.", field: "markupBasisPoints" });
    }
    await update({ input: { mode, markupBasisPoints, expectedVersion: settings.version } });
    onClose();
    onDone(mode === "OFF" ? "Credits are off." : "Credits are enforced from the next request on.");
  }

  return (
    <FormDialog
      title="How credits are dealt with"
      submitLabel="Save"
      fields={["mode", "markupBasisPoints"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Choice name="mode" label="Mode" value={mode} onChange={setMode} options={MODES} />
      <Field
        name="markupBasisPoints"
        label="On top of a provider's price, percent"
        value={markup}
        onChange={setMarkup}
      />
      {mode === "ENFORCED" && settings.mode === "OFF" && (
        <Typography color="textSecondary">
          From the next request on, everybody whose wallet does not cover a request is refused: fill
          wallets first.
        </Typography>
      )}
    </FormDialog>
  );
}
