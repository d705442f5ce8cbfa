/** Form fields that show the server's complaint about them. */
import MenuItem from "@mui/material/MenuItem";
import TextField, { type TextFieldProps } from "@mui/material/TextField";
import { createContext, useContext } from "react";
import type { Refused } from "./useAct";

/** What the form's last submission was refused for. */
export const RefusalContext = createContext<Refused | null>(null);

type FieldProps = Omit<TextFieldProps, "onChange" | "value"> & {
  name: string;
  value: string;
  onChange: (value: string) => void;
};

export function Field({ name, value, onChange, helperText, error, ...rest }: FieldProps) {
  const refusal = useContext(RefusalContext);
  const complaint = refusal?.field === name ? refusal.message : null;
  return (
    <TextField
      fullWidth
      name={name}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      error={error || complaint !== null}
      helperText={complaint ?? helperText}
      {...rest}
    />
  );
}

type ChoiceProps<T extends string> = Omit<FieldProps, "value" | "onChange" | "children"> & {
  value: T;
  onChange: (value: T) => void;
  options: readonly (readonly [T, string])[];
};

export function Choice<T extends string>({ options, onChange, ...rest }: ChoiceProps<T>) {
  return (
    <Field select onChange={(value) => onChange(value as T)} {...rest}>
      {options.map(([value, label]) => (
        <MenuItem key={value} value={value}>
          {label}
        </MenuItem>
      ))}
    </Field>
  );
}
