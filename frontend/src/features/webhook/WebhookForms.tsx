/** Make a webhook, change it, give it another secret, delete it. */
import Checkbox from "@mui/material/Checkbox";
import FormControl from "@mui/material/FormControl";
import FormControlLabel from "@mui/material/FormControlLabel";
import FormGroup from "@mui/material/FormGroup";
import FormLabel from "@mui/material/FormLabel";
import Switch from "@mui/material/Switch";
import { useState } from "react";
import { useQuery } from "urql";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { Choice, Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { Refused, useAct } from "../../common/useAct";
import {
  CreateWebhookDocument,
  DeleteWebhookDocument,
  RotateWebhookSecretDocument,
  UpdateWebhookDocument,
  type WebhookEventType,
  WebhookOwnerDocument,
  type WebhookRowFragment,
} from "../../gql/webhook";
import { EVENTS } from "./events";

const FIELDS = ["url", "name", "eventTypes", "organization"];

interface Shown {
  onSecret: (made: { name: string; secret: string }) => void;
  onClose: () => void;
}

export function AddWebhook({ onSecret, onClose }: Shown) {
  const [{ data }] = useQuery({ query: WebhookOwnerDocument });
  const [values, setValues] = useState<Values>({ url: "", name: "", events: [] });
  const [whose, setWhose] = useState("");
  const create = useAct(CreateWebhookDocument);
  const { role, organizationRole, organization } = data?.viewer ?? {};
  const own = organizationRole === "ADMIN" && organization ? organization : null;
  const options = [
    ...(role === "ADMIN" ? [["", "The whole installation"] as const] : []),
    ...(own ? [[own.id, `${own.name} only`] as const] : []),
  ];
  const chosen = whose || (options[0]?.[0] ?? "");

  async function save() {
    const input = { ...inputOf(values), organization: chosen || null };
    const { secret } = await create({ input });
    if (secret === null) throw new Refused({ message: "It was made before; rotate its secret." });
    onSecret({ name: values.name || values.url, secret });
  }

  return (
    <FormDialog
      title="Add a webhook"
      submitLabel="Add"
      fields={FIELDS}
      onSubmit={save}
      onClose={onClose}
    >
      {options.length > 1 && (
        <Choice
          name="organization"
          label="Hears the events of"
          value={chosen}
          onChange={setWhose}
          options={options}
          slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
        />
      )}
      <Details values={values} setValues={setValues} />
    </FormDialog>
  );
}

interface ChangeProps {
  webhook: WebhookRowFragment;
  onDone: (text: string) => void;
  onClose: () => void;
}

export function EditWebhook({ webhook, onDone, onClose }: ChangeProps) {
  const { url, name, eventTypes } = webhook;
  const [values, setValues] = useState<Values>({ url, name, events: eventTypes });
  const [enabled, setEnabled] = useState(webhook.enabled);
  const update = useAct(UpdateWebhookDocument);

  async function save() {
    const { id, version } = webhook;
    await update({
      input: { id, expectedVersion: version, enabled, ...inputOf(values), name: values.name },
    });
    onDone(`${values.name} was saved.`);
  }

  return (
    <FormDialog
      title={`Edit ${name}`}
      submitLabel="Save"
      fields={FIELDS}
      onSubmit={save}
      onClose={onClose}
    >
      <Details values={values} setValues={setValues} />
      <FormControlLabel
        label="Enabled"
        control={<Switch checked={enabled} onChange={(_, on) => setEnabled(on)} />}
      />
    </FormDialog>
  );
}

const OVERLAPS = [
  ["0", "Signs no more"],
  ["24", "Signs as well for a day"],
  ["168", "Signs as well for a week"],
] as const;
type Overlap = (typeof OVERLAPS)[number][0];

export function RotateSecret({
  webhook,
  onSecret,
  onClose,
}: Shown & { webhook: WebhookRowFragment }) {
  const [overlap, setOverlap] = useState<Overlap>("24");
  const rotate = useAct(RotateWebhookSecretDocument);

  async function save() {
    const { secret } = await rotate({ input: { id: webhook.id, overlapHours: Number(overlap) } });
    onSecret({ name: webhook.name, secret });
  }

  return (
    <FormDialog
      title={`Rotate the secret of ${webhook.name}`}
      submitLabel="Rotate"
      fields={["overlapHours"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Choice
        name="overlapHours"
        label="The secret it has now"
        value={overlap}
        onChange={setOverlap}
        options={OVERLAPS}
        helperText="Receivers that know either of the two can verify meanwhile."
      />
    </FormDialog>
  );
}

export function DeleteWebhook({ webhook, onDone, onClose }: ChangeProps) {
  const remove = useAct(DeleteWebhookDocument);
  return (
    <ConfirmDialog
      title={`Delete ${webhook.name}?`}
      action="Delete"
      onClose={onClose}
      onConfirm={async () => {
        await remove({ input: { id: webhook.id } });
        onDone(`${webhook.name} was deleted.`);
      }}
    >
      {webhook.url} hears nothing more, and the record of its deliveries goes with it.
    </ConfirmDialog>
  );
}

interface Values {
  url: string;
  name: string;
  events: readonly WebhookEventType[];
}

interface DetailsProps {
  values: Values;
  setValues: (values: Values) => void;
}

function Details({ values, setValues }: DetailsProps) {
  const { url, name, events } = values;
  return (
    <>
      <Field
        name="url"
        label="URL"
        type="url"
        required
        autoFocus
        value={url}
        onChange={(next) => setValues({ ...values, url: next })}
        helperText="Https, at a public address."
      />
      <Field
        name="name"
        label="Name (optional)"
        value={name}
        onChange={(next) => setValues({ ...values, name: next })}
      />
      <FormControl component="fieldset">
        <FormLabel component="legend">Hears of</FormLabel>
        <FormGroup>
          {EVENTS.map(([type, label]) => (
            <FormControlLabel
              key={type}
              label={label}
              control={
                <Checkbox
                  size="small"
                  checked={events.includes(type)}
                  onChange={(_, on) => {
                    const others = events.filter((each) => each !== type);
                    setValues({ ...values, events: on ? [...others, type] : others });
                  }}
                />
              }
            />
          ))}
        </FormGroup>
      </FormControl>
    </>
  );
}

function inputOf({ url, name, events }: Values) {
  return { url: url.trim(), eventTypes: [...events], ...(name.trim() ? { name } : {}) };
}
