/** Make a person by hand, or change one. */
import Alert from "@mui/material/Alert";
import { useState } from "react";
import { Choice, Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { useAct } from "../../common/useAct";
import {
  CreateUserDocument,
  type PersonFragment,
  type Role,
  UpdateUserDocument,
} from "../../gql/people";

const ROLES: readonly (readonly [Role, string])[] = [
  ["USER", "User: own keys, own usage"],
  ["ADMIN", "Administrator: everything"],
];
const FIELDS = ["name", "email", "role"];

interface Props {
  onDone: (text: string) => void;
  onClose: () => void;
}

export function AddPerson({ onDone, onClose }: Props) {
  const [values, setValues] = useState<Values>({ name: "", email: "", role: "USER" });
  const create = useAct(CreateUserDocument);

  async function save() {
    await create({ input: inputOf(values) });
    onDone(`${values.name} was added.`);
  }

  return (
    <FormDialog
      title="Add a person"
      submitLabel="Add"
      fields={FIELDS}
      onSubmit={save}
      onClose={onClose}
    >
      <Details values={values} setValues={setValues} />
    </FormDialog>
  );
}

export function EditPerson({ person, onDone, onClose }: Props & { person: PersonFragment }) {
  const { name, email, role } = person;
  const [values, setValues] = useState<Values>({ name, email: email ?? "", role });
  const update = useAct(UpdateUserDocument);

  async function save() {
    const { id, version } = person;
    await update({ input: { id, expectedVersion: version, ...inputOf(values) } });
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
      {person.issuer && (
        <Alert severity="info">
          Name, address and role follow the identity provider, {person.issuer}: change them there.
        </Alert>
      )}
      <Details values={values} setValues={setValues} disabled={person.issuer !== null} />
    </FormDialog>
  );
}

interface Values {
  name: string;
  email: string;
  role: Role;
}

interface DetailsProps {
  values: Values;
  setValues: (values: Values) => void;
  disabled?: boolean;
}

function Details({ values, setValues, disabled }: DetailsProps) {
  return (
    <>
      <Field
        name="name"
        label="Name"
        required
        autoFocus
        disabled={disabled}
        value={values.name}
        onChange={(name) => setValues({ ...values, name })}
      />
      <Field
        name="email"
        label="E-mail (optional)"
        type="email"
        disabled={disabled}
        value={values.email}
        onChange={(email) => setValues({ ...values, email })}
      />
      <Choice
        name="role"
        label="Role"
        disabled={disabled}
        value={values.role}
        onChange={(role) => setValues({ ...values, role })}
        options={ROLES}
      />
    </>
  );
}

function inputOf({ name, email, role }: Values) {
  return { name, email: email.trim() || null, role };
}
