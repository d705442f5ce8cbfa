/** Names of models in an order: typed or chosen, dragged or moved by buttons. */
import Autocomplete from "@mui/material/Autocomplete";
import Box from "@mui/material/Box";
import IconButton from "@mui/material/IconButton";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { mdiArrowDown, mdiArrowUp, mdiClose } from "@mdi/js";
import { useState } from "react";
import { useQuery } from "urql";
import { Icon } from "../../common/Icon";
import { useDebounced } from "../../common/useDebounced";
import { ModelNamesDocument } from "../../gql/rule";
import { moved } from "./order";

interface Props {
  label: string;
  hint?: string;
  names: readonly string[];
  onChange: (names: string[]) => void;
}

export function NamesField({ label, hint, names, onChange }: Props) {
  const [dragged, setDragged] = useState<number | null>(null);
  return (
    <Stack spacing={1}>
      {names.length > 0 && (
        <Box component="ol" aria-label={label} sx={{ listStyle: "none", m: 0, p: 0 }}>
          {names.map((name, index) => (
            <Stack
              key={name}
              component="li"
              direction="row"
              draggable
              onDragStart={() => setDragged(index)}
              onDragOver={(event) => event.preventDefault()}
              onDrop={() => dragged !== null && onChange(moved(names, dragged, index))}
              sx={{ alignItems: "center", cursor: "grab", borderBottom: 1, borderColor: "divider" }}
            >
              <Typography variant="body2" sx={{ flexGrow: 1, wordBreak: "break-word" }}>
                {index + 1}. {name}
              </Typography>
              <IconButton
                size="small"
                aria-label={`Move ${name} up`}
                disabled={index === 0}
                onClick={() => onChange(moved(names, index, index - 1))}
              >
                <Icon path={mdiArrowUp} fontSize="small" />
              </IconButton>
              <IconButton
                size="small"
                aria-label={`Move ${name} down`}
                disabled={index === names.length - 1}
                onClick={() => onChange(moved(names, index, index + 1))}
              >
                <Icon path={mdiArrowDown} fontSize="small" />
              </IconButton>
              <IconButton
                size="small"
                aria-label={`Remove ${name}`}
                onClick={() => onChange(names.filter((each) => each !== name))}
              >
                <Icon path={mdiClose} fontSize="small" />
              </IconButton>
            </Stack>
          ))}
        </Box>
      )}
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
