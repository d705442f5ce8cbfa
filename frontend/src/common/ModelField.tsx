/** A model's name: chosen out of the catalogue, or any other text. */
import Autocomplete from "@mui/material/Autocomplete";
import TextField from "@mui/material/TextField";
import { useQuery } from "urql";
import { ModelNamesDocument } from "../gql/rule";
import { useDebounced } from "./useDebounced";

const AUTO = ["auto", "auto:eco", "auto:balanced", "auto:precision"];

interface Props {
  label: string;
  hint?: string;
  value: string;
  onChange: (value: string) => void;
}

export function ModelField({ label, hint, value, onChange }: Props) {
  const search = useDebounced(value.trim());
  const isAuto = search === "" || search.startsWith("auto");
  const variables = { search: isAuto ? null : search };
  const [{ data }] = useQuery({ query: ModelNamesDocument, variables });
  const found = data?.models.nodes.map(({ reference }) => reference) ?? [];
  return (
    <Autocomplete
      freeSolo
      disableClearable
      size="small"
      inputValue={value}
      onInputChange={(_, next, why) => why !== "reset" && onChange(next)}
      onChange={(_, chosen) => onChange(chosen)}
      filterOptions={(options) => options}
      options={[...(isAuto ? AUTO : []), ...found]}
      renderInput={(props) => <TextField {...props} label={label} helperText={hint} />}
    />
  );
}
