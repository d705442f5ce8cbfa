/** Names of models in an order: typed or chosen, dragged or moved by buttons. */
import Autocomplete from "@mui/material/Autocomplete";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { useState } from "react";
import { useQuery } from "urql";
import { OrderedList } from "../../common/OrderedList";
import { useDebounced } from "../../common/useDebounced";
import { ModelNamesDocument } from "../../gql/rule";

interface Props {
  label: string;
  hint?: string;
  names: readonly string[];
  onChange: (names: string[]) => void;
}

export function NamesField({ label, hint, names, onChange }: Props) {
  return (
    <Stack spacing={1}>
      <OrderedList label={label} items={names} onChange={onChange} removable />
      <ModelField
        label={`Add to ${label.toLowerCase()}`}
        hint={hint}
        onChosen={(name) => {
          if (!names.includes(name)) onChange([...names, name]);
        }}
      />
    </Stack>
  );
}

interface ModelFieldProps {
  label: string;
  hint?: string;
  onChosen: (name: string) => void;
}

/** A model's name out of the catalogue, or any other text; empties itself once chosen. */
function ModelField({ label, hint, onChosen }: ModelFieldProps) {
  const [typed, setTyped] = useState("");
  const variables = { search: useDebounced(typed.trim()) || null };
  const [{ data }] = useQuery({ query: ModelNamesDocument, variables });
  return (
    <Autocomplete
      freeSolo
      size="small"
      value={null}
      inputValue={typed}
      onInputChange={(_, value, why) => setTyped(why === "input" ? value : "")}
      onChange={(_, name) => {
        if (name?.trim()) onChosen(name.trim());
      }}
      filterOptions={(options) => options}
      options={data?.models.nodes.map(({ reference }) => reference) ?? []}
      renderInput={(props) => <TextField {...props} label={label} helperText={hint} />}
    />
  );
}
