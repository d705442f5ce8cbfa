/** Add a model with its price, or change one. */
import FormControlLabel from "@mui/material/FormControlLabel";
import Switch from "@mui/material/Switch";
import { useState } from "react";
import { useQuery } from "urql";
import { Choice, Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { useAct } from "../../common/useAct";
import {
  type Capability,
  CreateModelDocument,
  type ModelRowFragment,
  type PowerLevel,
  ProviderChoicesDocument,
  UpdateModelDocument,
} from "../../gql/model";
import { type Details, DetailFields } from "./DetailFields";
import { PRICE_FIELDS, PriceFields } from "./PriceFields";
import { NOTHING, priceInput } from "./price";

const FIELDS = [
  "provider",
  "name",
  "displayName",
  "contextLength",
  "maxOutputTokens",
  "quality",
  "levelPin",
  ...PRICE_FIELDS,
];

interface AddProps {
  onDone: (text: string) => void;
  onClose: () => void;
}

export function AddModel({ onDone, onClose }: AddProps) {
  const [{ data }] = useQuery({ query: ProviderChoicesDocument });
  const providers = data?.providers.nodes ?? [];
  const [chosen, setProvider] = useState("");
  const provider = chosen || (providers[0]?.id ?? "");
  const [name, setName] = useState("");
  const [details, setDetails] = useState<Details>(EMPTY);
  const [typed, setTyped] = useState(NOTHING);
  const create = useAct(CreateModelDocument);

  async function save() {
    const priced = Object.values(typed).some((each) => each.trim() !== "");
    const price = priced ? priceInput(typed) : null;
    const input = { provider, name: name.trim(), price, ...inputOf(details) };
    const { model } = await create({ input });
    onDone(`${model.reference} was added.`);
  }

  return (
    <FormDialog
      title="Add a model"
      submitLabel="Add"
      fields={FIELDS}
      onSubmit={save}
      onClose={onClose}
    >
      <Choice
        name="provider"
        label="Provider"
        required
        value={provider}
        onChange={setProvider}
        options={providers.map((each) => [each.id, `${each.name} (${each.slug})`] as const)}
      />
      <Field
        name="name"
        label="Model name"
        required
        value={name}
        onChange={setName}
        helperText="The provider's own name for it, as in gpt-4o-mini."
      />
      <PriceFields typed={typed} setTyped={setTyped} />
      <DetailFields details={details} setDetails={setDetails} />
    </FormDialog>
  );
}

export function EditModel({ model, onDone, onClose }: AddProps & { model: ModelRowFragment }) {
  const [details, setDetails] = useState(() => detailsOf(model));
  const [enabled, setEnabled] = useState(model.enabled);
  const update = useAct(UpdateModelDocument);

  async function save() {
    const { id, version } = model;
    await update({ input: { id, expectedVersion: version, enabled, ...inputOf(details) } });
    onDone(`${model.reference} was saved.`);
  }

  return (
    <FormDialog
      title={`Edit ${model.reference}`}
      submitLabel="Save"
      fields={FIELDS}
      onSubmit={save}
      onClose={onClose}
    >
      <DetailFields details={details} setDetails={setDetails} />
      <FormControlLabel
        control={<Switch checked={enabled} onChange={(_, checked) => setEnabled(checked)} />}
        label="Enabled"
      />
    </FormDialog>
  );
}

const EMPTY: Details = {
  displayName: "",
  contextLength: "",
  maxOutputTokens: "",
  quality: "",
  levelPin: "",
  capabilities: ["STREAMING"],
};

function detailsOf(model: ModelRowFragment): Details {
  return {
    displayName: model.displayName,
    contextLength: String(model.contextLength ?? ""),
    maxOutputTokens: String(model.maxOutputTokens ?? ""),
    quality: String(model.quality ?? ""),
    levelPin: model.levelPin ?? "",
    capabilities: model.capabilities,
  };
}

function inputOf(details: Details) {
  const displayName = details.displayName.trim();
  return {
    ...(displayName ? { displayName } : {}),
    contextLength: numberOf(details.contextLength),
    maxOutputTokens: numberOf(details.maxOutputTokens),
    quality: numberOf(details.quality),
    levelPin: (details.levelPin || null) as PowerLevel | null,
    capabilities: details.capabilities as Capability[],
  };
}

const numberOf = (text: string) => (text.trim() === "" ? null : Number(text));
