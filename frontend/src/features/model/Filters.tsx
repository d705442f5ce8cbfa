/** What narrows the list of models. */
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { useQuery } from "urql";
import { LEVEL_OPTIONS } from "../../common/LevelChip";
import { ProviderChoicesDocument } from "../../gql/model";

export interface Narrowing {
  search: string;
  provider: string;
  level: string;
  enabled: string;
  capability: string;
}

const STATES = [
  ["true", "Enabled"],
  ["false", "Switched off"],
] as const;
const ABILITIES = [
  ["TOOLS", "Tools"],
  ["JSON_SCHEMA", "JSON schema"],
  ["VISION", "Vision"],
  ["REASONING", "Reasoning"],
  ["PREFILL", "Prefill"],
] as const;

interface Props {
  value: Narrowing;
  onChange: (value: Narrowing) => void;
}

export function Filters({ value, onChange }: Props) {
  const [{ data }] = useQuery({ query: ProviderChoicesDocument });
  const providers = data?.providers.nodes.map(({ id, name }) => [id, name] as const) ?? [];
  const set = (name: keyof Narrowing) => (chosen: string) => onChange({ ...value, [name]: chosen });
  return (
    <Stack direction="row" spacing={1.5} useFlexGap sx={{ flexWrap: "wrap" }} role="search">
      <TextField
        size="small"
        type="search"
        label="Search models"
        value={value.search}
        onChange={(event) => set("search")(event.target.value)}
        sx={{ flexGrow: 1, minWidth: 200 }}
      />
      <Narrow
        label="Provider"
        value={value.provider}
        onChange={set("provider")}
        options={providers}
      />
      <Narrow label="Level" value={value.level} onChange={set("level")} options={LEVEL_OPTIONS} />
      <Narrow label="State" value={value.enabled} onChange={set("enabled")} options={STATES} />
      <Narrow
        label="Able to use"
        value={value.capability}
        onChange={set("capability")}
        options={ABILITIES}
      />
    </Stack>
  );
}

interface NarrowProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: readonly (readonly [string, string])[];
}

function Narrow({ label, value, onChange, options }: NarrowProps) {
  return (
    <TextField
      select
      size="small"
      label={label}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      sx={{ minWidth: 140, flexGrow: { xs: 1, sm: 0 } }}
      slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
    >
      <MenuItem value="">All</MenuItem>
      {options.map(([option, shown]) => (
        <MenuItem key={option} value={option}>
          {shown}
        </MenuItem>
      ))}
    </TextField>
  );
}
