/** Make an organisation, rename one, delete one. */
import { useState } from "react";
import { ConfirmDialog } from "../../common/ConfirmDialog";
import { Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { useAct } from "../../common/useAct";
import {
  CreateOrganizationDocument,
  DeleteOrganizationDocument,
  type OrganizationRowFragment,
  UpdateOrganizationDocument,
} from "../../gql/people";

interface FormProps {
  onDone: (text: string) => void;
  onClose: () => void;
}

type ChangeProps = FormProps & { organization: OrganizationRowFragment };

export function AddOrganization({ onDone, onClose }: FormProps) {
  const [name, setName] = useState("");
  const [slug, setSlug] = useState("");
  const create = useAct(CreateOrganizationDocument);

  async function save() {
    await create({ input: { slug, name: name.trim() || null } });
    onDone(`${name || slug} was added.`);
  }

  return (
    <FormDialog
      title="Add an organisation"
      submitLabel="Add"
      fields={["slug", "name"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Field
        name="slug"
        label="Slug"
        required
        autoFocus
        value={slug}
        onChange={setSlug}
        helperText="Its short name, as in research."
      />
      <Field name="name" label="Name (optional)" value={name} onChange={setName} />
    </FormDialog>
  );
}

export function RenameOrganization({ organization, onDone, onClose }: ChangeProps) {
  const [name, setName] = useState(organization.name);
  const update = useAct(UpdateOrganizationDocument);

  async function save() {
    const { id, version } = organization;
    await update({ input: { id, expectedVersion: version, name } });
    onDone(`It is now called ${name}.`);
  }

  return (
    <FormDialog
      title={`Rename ${organization.name}`}
      submitLabel="Rename"
      fields={["name"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Field name="name" label="Name" required autoFocus value={name} onChange={setName} />
    </FormDialog>
  );
}

export function DeleteOrganization({ organization, onDone, onClose }: ChangeProps) {
  const remove = useAct(DeleteOrganizationDocument);
  return (
    <ConfirmDialog
      title={`Delete ${organization.name}?`}
      action="Delete"
      onClose={onClose}
      onConfirm={async (force) => {
        await remove({ input: { id: organization.id, force } });
        onDone(`${organization.name} was deleted.`);
      }}
    >
      Its memberships go with it; the people stay. Usage keeps what was charged.
    </ConfirmDialog>
  );
}
