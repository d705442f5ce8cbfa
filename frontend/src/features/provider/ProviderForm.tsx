/** Add a provider with its key and test it at once, or change one. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import FormControlLabel from "@mui/material/FormControlLabel";
import Switch from "@mui/material/Switch";
import { useState } from "react";
import { Choice, Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { useAct } from "../../common/useAct";
import {
  CreateCredentialDocument,
  CreateProviderDocument,
  type ProviderType,
  TestProviderDocument,
  UpdateProviderDocument,
} from "../../gql/provider";
import { PRESETS, TYPES } from "./presets";
import type { Tested } from "./TestResult";
import { keysOf, type ProviderRow } from "./row";

const FIELDS = ["slug", "name", "baseUrl", "region", "priority", "secret"];

interface AddProps {
  known: readonly ProviderRow[];
  /** Opens the keys of one of those. */
  onKeys: (id: string) => void;
  onDone: (name: string, tested: Tested) => void;
  onClose: () => void;
}

export function AddProvider({ known, onKeys, onDone, onClose }: AddProps) {
  const [type, setType] = useState<ProviderType>("OPENAI");
  const preset = PRESETS[type];
  const [values, setValues] = useState(() => filledIn("OPENAI"));
  const [secret, setSecret] = useState("");
  const add = useAdd();
  const same = known.find(({ slug }) => slug === values.slug.trim());

  function choose(next: ProviderType) {
    setType(next);
    setValues(filledIn(next));
  }

  return (
    <FormDialog
      title="Add a provider"
      submitLabel="Add and test"
      fields={FIELDS}
      onClose={onClose}
      onSubmit={async () => onDone(values.name, await add({ type, ...values }, secret.trim()))}
    >
      <Choice name="type" label="Type" value={type} onChange={choose} options={TYPES} />
      {same && (
        <Alert
          severity="info"
          action={
            <Button color="inherit" sx={{ whiteSpace: "nowrap" }} onClick={() => onKeys(same.id)}>
              Its keys
            </Button>
          }
        >
          {same.name} is in the list already
          {keysOf(same).length === 0 && ", without a key"}: give it its key there, or add another by
          another slug.
        </Alert>
      )}
      <Field
        name="slug"
        label="Slug"
        required
        value={values.slug}
        onChange={(slug) => setValues({ ...values, slug })}
        helperText={`How requests name it, as in ${values.slug || "slug"}/model.`}
      />
      <Details values={values} setValues={setValues} />
      <Field
        name="secret"
        label="API key"
        type="password"
        autoComplete="off"
        required={type !== "CUSTOM"}
        value={secret}
        onChange={setSecret}
        helperText={`${preset.keyHint} It is encrypted, and never shown again.`}
      />
    </FormDialog>
  );
}

interface EditProps {
  provider: ProviderRow;
  onDone: (name: string) => void;
  onClose: () => void;
}

export function EditProvider({ provider, onDone, onClose }: EditProps) {
  const [values, setValues] = useState<Values>({
    slug: provider.slug,
    name: provider.name,
    baseUrl: provider.baseUrl,
    region: provider.region ?? "",
    priority: String(provider.priority),
  });
  const [enabled, setEnabled] = useState(provider.enabled);
  const update = useAct(UpdateProviderDocument);
  const moved = values.baseUrl !== provider.baseUrl && keysOf(provider).length > 0;

  async function save() {
    const { slug: _, ...changes } = inputOf(values);
    const { id, version } = provider;
    await update({ input: { id, expectedVersion: version, enabled, ...changes } });
    onDone(values.name);
  }

  return (
    <FormDialog
      title={`Edit ${provider.name}`}
      submitLabel="Save"
      fields={FIELDS}
      onClose={onClose}
      onSubmit={save}
    >
      <Details
        values={values}
        setValues={setValues}
        warning={moved ? "Keys do not follow to another address: give them anew." : undefined}
      />
      <FormControlLabel
        control={<Switch checked={enabled} onChange={(_, checked) => setEnabled(checked)} />}
        label="Enabled"
      />
    </FormDialog>
  );
}

interface Values {
  slug: string;
  name: string;
  baseUrl: string;
  region: string;
  priority: string;
}

interface DetailsProps {
  values: Values;
  setValues: (values: Values) => void;
  warning?: string;
}

function Details({ values, setValues, warning }: DetailsProps) {
  const change = (name: keyof Values) => (value: string) => setValues({ ...values, [name]: value });
  return (
    <>
      <Field name="name" label="Name" value={values.name} onChange={change("name")} required />
      <Field
        name="baseUrl"
        label="Base URL"
        type="url"
        required
        value={values.baseUrl}
        onChange={change("baseUrl")}
        helperText={warning ?? "Https; other addresses only where the operator lists the host."}
      />
      <Field
        name="priority"
        label="Priority"
        type="number"
        required
        value={values.priority}
        onChange={change("priority")}
        helperText="A lower number is preferred."
      />
      <Field
        name="region"
        label="Region (optional)"
        value={values.region}
        onChange={change("region")}
      />
    </>
  );
}

function filledIn(type: ProviderType): Values {
  const { slug, label, baseUrl } = PRESETS[type];
  return { slug, name: type === "CUSTOM" ? "Local" : label, baseUrl, region: "", priority: "100" };
}

function inputOf({ slug, name, baseUrl, region, priority }: Values) {
  return { slug, name, baseUrl, region: region.trim() || null, priority: Number(priority) };
}

/** Creates the provider and its key, then calls it. A second try goes on where the first failed. */
function useAdd() {
  const create = useAct(CreateProviderDocument);
  const addKey = useAct(CreateCredentialDocument);
  const test = useAct(TestProviderDocument);
  const [made, setMade] = useState<string | null>(null);
  return async (values: Values & { type: ProviderType }, secret: string) => {
    const input = { type: values.type, ...inputOf(values) };
    const id = made ?? (await create({ input })).provider.id;
    setMade(id);
    if (secret) await addKey({ input: { provider: id, secret } });
    return test({ input: { id } });
  };
}
