/** Save a key of one's own, change how it is used, give it anew, or delete it. */
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useQuery } from "urql";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { Choice, Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { SecretField } from "../../common/SecretField";
import { useAct } from "../../common/useAct";
import {
  ByokChoicesDocument,
  DeleteByokKeyDocument,
  type KeyPolicy,
  type OwnKeyFragment,
  SaveByokKeyDocument,
  UpdateByokKeyDocument,
} from "../../gql/byok";
import { PRESETS } from "../provider/presets";
import { POLICY_OPTIONS, policyOf } from "./policies";

interface AddProps {
  /** `id` is the key's, to be tested. */
  onDone: (text: string, id: string) => void;
  onClose: () => void;
}

export function AddOwnKey({ onDone, onClose }: AddProps) {
  const [{ data }] = useQuery({ query: ByokChoicesDocument });
  const providers = data?.providers.nodes ?? [];
  const [chosen, setChosen] = useState("");
  const provider = providers.find(({ id }) => id === chosen) ?? providers[0];
  const [name, setName] = useState("default");
  const [secret, setSecret] = useState("");
  const [policy, setPolicy] = useState<KeyPolicy>("ONLY_MINE");
  const [whose, setWhose] = useState("");
  const save = useAct(SaveByokKeyDocument);
  const organization =
    data?.viewer.organizationRole === "ADMIN" ? data.viewer.organization : undefined;

  async function submit() {
    const input = { provider: provider?.id ?? "", name, secret: secret.trim(), policy };
    const { credential } = await save({ input: { ...input, organization: whose || null } });
    onDone(`The key for ${provider?.name} is stored.`, credential.id);
  }

  return (
    <FormDialog
      title="Add a key of your own"
      submitLabel="Save and test"
      fields={["provider", "name", "secret", "policy", "organization"]}
      onSubmit={submit}
      onClose={onClose}
    >
      <Choice
        name="provider"
        label="Provider"
        required
        value={provider?.id ?? ""}
        onChange={setChosen}
        options={providers.map((each) => [each.id, `${each.name} (${each.slug})`] as const)}
      />
      <SecretField
        value={secret}
        onChange={setSecret}
        hint={provider && PRESETS[provider.type].keyHint}
      />
      <Field
        name="name"
        label="Name"
        required
        value={name}
        onChange={setName}
        helperText="To tell it from your others at this provider."
      />
      {organization && (
        <Choice
          name="organization"
          label="Whose requests it serves"
          value={whose}
          onChange={setWhose}
          options={[
            ["", "Only mine"],
            [organization.id, `Everybody's in ${organization.name}`],
          ]}
          slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
        />
      )}
      <PolicyChoice value={policy} onChange={setPolicy} />
    </FormDialog>
  );
}

interface ChangeProps {
  credential: OwnKeyFragment;
  onDone: (text: string) => void;
  onClose: () => void;
}

export function EditOwnKey({ credential, onDone, onClose }: ChangeProps) {
  const [name, setName] = useState(credential.name);
  const [policy, setPolicy] = useState<KeyPolicy>(credential.policy ?? "ONLY_MINE");
  const update = useAct(UpdateByokKeyDocument);

  async function save() {
    await update({ input: { id: credential.id, name, policy } });
    onDone(`${name} was saved.`);
  }

  return (
    <FormDialog
      title={`Change ${credential.name} at ${credential.provider.name}`}
      submitLabel="Save"
      fields={["name", "policy"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Field name="name" label="Name" required value={name} onChange={setName} />
      <PolicyChoice value={policy} onChange={setPolicy} />
    </FormDialog>
  );
}

export function RotateOwnKey({ credential, onDone, onClose }: ChangeProps) {
  const [secret, setSecret] = useState("");
  const update = useAct(UpdateByokKeyDocument);

  async function save() {
    const { id, version } = credential;
    await update({ input: { id, expectedVersion: version, secret: secret.trim() } });
    onDone(`${credential.name} was rotated.`);
  }

  return (
    <FormDialog
      title={`Rotate ${credential.name} at ${credential.provider.name}`}
      submitLabel="Rotate and test"
      fields={["secret"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Typography color="textSecondary">
        The new key takes the place of <code>{credential.mask}</code> from the next request on.
        Revoke the old one at {credential.provider.name} afterwards.
      </Typography>
      <SecretField value={secret} onChange={setSecret} />
    </FormDialog>
  );
}

export function DeleteOwnKey({ credential, onDone, onClose }: ChangeProps) {
  const remove = useAct(DeleteByokKeyDocument);
  return (
    <ConfirmDialog
      title={`Delete the key ${credential.name} at ${credential.provider.name}?`}
      action="Delete"
      onClose={onClose}
      onConfirm={async () => {
        await remove({ input: { id: credential.id } });
        onDone(`${credential.name} was deleted.`);
      }}
    >
      Requests stop using <code>{credential.mask}</code> at once and go on with what would serve
      without it. At {credential.provider.name} it stays valid until you revoke it there.
    </ConfirmDialog>
  );
}

interface PolicyProps {
  value: KeyPolicy;
  onChange: (policy: KeyPolicy) => void;
}

function PolicyChoice({ value, onChange }: PolicyProps) {
  return (
    <Choice
      name="policy"
      label="When it is used"
      value={value}
      onChange={onChange}
      options={POLICY_OPTIONS}
      helperText={policyOf(value)?.detail}
    />
  );
}
