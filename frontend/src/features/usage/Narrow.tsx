/** What narrows the analytics: a provider, an API key, whose provider key was used. */
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { useQuery } from "urql";
import { useIsAdmin } from "../../common/viewer";
import { UsageChoicesDocument } from "../../gql/usage";
import type { Asked } from "./period";

interface Props {
  asked: Asked;
  onChange: (part: Partial<Asked>) => void;
}

const KEYS = [
  ["system", "The house's"],
  ["own", "Own (BYOK)"],
] as const;

export function Narrow({ asked, onChange }: Props) {
  const [{ data }] = useQuery({
    query: UsageChoicesDocument,
    variables: { isAdmin: useIsAdmin() },
  });
  const providers = data?.providers.nodes.map(({ id, name }) => [id, name] as const);
  const apiKeys = data?.apiKeys.nodes.map(
    ({ id, name, user }) => [id, user ? `${name} (${user.name})` : name] as const,
  );
  return (
    <Stack direction="row" spacing={1.5} useFlexGap sx={{ flexWrap: "wrap" }} role="search">
      <Choice
        label="Provider"
        value={asked.provider}
        options={providers ?? []}
        onChange={(provider) => onChange({ provider })}
      />
      <Choice
        label="API key"
        value={asked.apiKey}
        options={apiKeys ?? []}
        onChange={(apiKey) => onChange({ apiKey })}
      />
      <Choice
        label="Provider keys"
        value={asked.keys}
        options={KEYS}
        onChange={(keys) => onChange({ keys })}
      />
    </Stack>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  options: readonly (readonly [string, string])[];
  onChange: (value: string) => void;
}

function Choice({ label, value, options, onChange }: ChoiceProps) {
  const isKnown = options.some(([each]) => each === value);
  return (
    <TextField
      select
      size="small"
      label={label}
      value={isKnown ? value : ""}
      onChange={(event) => onChange(event.target.value)}
      sx={{ minWidth: 150, maxWidth: 260, flexGrow: { xs: 1, sm: 0 } }}
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
