/** Give an API key another name or another text, or end it. */
import { useState } from "react";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { Choice, Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { Refused, useAct } from "../../common/useAct";
import { RevokeApiKeyDocument, RotateApiKeyDocument, UpdateApiKeyDocument } from "../../gql/apikey";
import type { ApiKey } from "./ApiKeys";

interface ChangeProps {
  apiKey: ApiKey;
  onDone: (text: string) => void;
  onClose: () => void;
}

export function Rename({ apiKey, onDone, onClose }: ChangeProps) {
  const [name, setName] = useState(apiKey.name);
  const update = useAct(UpdateApiKeyDocument);

  async function save() {
    await update({ input: { id: apiKey.id, name } });
    onDone(`The key is now called ${name}.`);
  }

  return (
    <FormDialog
      title={`Rename ${apiKey.name}`}
      submitLabel="Rename"
      fields={["name"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Field name="name" label="Name" required autoFocus value={name} onChange={setName} />
    </FormDialog>
  );
}

export function Revoke({ apiKey, onDone, onClose }: ChangeProps) {
  const revoke = useAct(RevokeApiKeyDocument);
  return (
    <ConfirmDialog
      title={`Revoke ${apiKey.name}?`}
      action="Revoke"
      onClose={onClose}
      onConfirm={async () => {
        await revoke({ input: { id: apiKey.id } });
        onDone(`${apiKey.name} was revoked.`);
      }}
    >
      Applications that use <code>{apiKey.prefix}…</code> are refused within seconds. This cannot be
      undone.
    </ConfirmDialog>
  );
}

const OVERLAPS = [
  ["0", "Ends now"],
  ["3600", "One more hour"],
  ["86400", "One more day"],
  ["604800", "One more week"],
] as const;
type Overlap = (typeof OVERLAPS)[number][0];

interface RotateProps {
  apiKey: ApiKey;
  onRotated: (made: { name: string; secret: string }) => void;
  onClose: () => void;
}

export function RotateKey({ apiKey, onRotated, onClose }: RotateProps) {
  const [overlap, setOverlap] = useState<Overlap>("86400");
  const rotate = useAct(RotateApiKeyDocument);

  async function save() {
    const input = { id: apiKey.id, overlapSeconds: Number(overlap) };
    const { secret } = await rotate({ input });
    if (secret === null) throw new Refused({ message: "It was rotated before; rotate it again." });
    onRotated({ name: apiKey.name, secret });
  }

  return (
    <FormDialog
      title={`Rotate ${apiKey.name}`}
      submitLabel="Rotate"
      fields={["overlapSeconds"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Choice
        name="overlapSeconds"
        label="The text it has now"
        value={overlap}
        onChange={setOverlap}
        options={OVERLAPS}
        helperText="Give the new text to its application within that time. Name, scopes and limits stay."
      />
    </FormDialog>
  );
}
