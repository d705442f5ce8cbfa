/** Where a provider's key is typed or pasted. */
import { Field } from "./fields";

interface Props {
  value: string;
  onChange: (value: string) => void;
  hint?: string;
}

export function SecretField({ value, onChange, hint }: Props) {
  return (
    <Field
      name="secret"
      label="API key"
      type="password"
      autoComplete="off"
      required
      value={value}
      onChange={onChange}
      helperText={`${hint ? `${hint} ` : ""}It is encrypted, and never shown again.`}
    />
  );
}
