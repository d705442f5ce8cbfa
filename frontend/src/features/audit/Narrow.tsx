/** What narrows the audit log. */
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { words } from "../../common/format";
import type { AuditAction, AuditFilter, AuditObject } from "../../gql/audit";

export interface Narrowing {
  action: AuditAction | "";
  object: AuditObject | "";
  from: string;
  to: string;
}

export const ALL: Narrowing = { action: "", object: "", from: "", to: "" };

const ACTIONS: readonly AuditAction[] = [
  "CREATE",
  "UPDATE",
  "DELETE",
  "DISABLE",
  "PUBLISH",
  "REVOKE",
  "ROLL_BACK",
  "SEED",
  "SET_PRICE",
  "TEST",
];
const OBJECTS: readonly AuditObject[] = [
  "PROVIDER",
  "MODEL",
  "CREDENTIAL",
  "ROUTING_RULE_VERSION",
  "API_KEY",
  "USER",
  "ORGANIZATION",
  "CATALOGUE",
];

/** Days are the viewer's own; the last one is included. */
export function filterOf({ action, object, from, to }: Narrowing): AuditFilter {
  return {
    actions: action ? [action] : null,
    objectTypes: object ? [object] : null,
    from: from ? new Date(`${from}T00:00`).toISOString() : null,
    to: to ? dayAfter(to).toISOString() : null,
  };
}

function dayAfter(day: string): Date {
  const date = new Date(`${day}T00:00`);
  date.setDate(date.getDate() + 1);
  return date;
}

interface Props {
  value: Narrowing;
  onChange: (value: Narrowing) => void;
}

export function Narrow({ value, onChange }: Props) {
  return (
    <Stack direction="row" spacing={1.5} useFlexGap sx={{ flexWrap: "wrap" }} role="search">
      <TextField
        select
        size="small"
        label="Action"
        value={value.action}
        onChange={(event) => onChange({ ...value, action: event.target.value as AuditAction })}
        {...SELECT}
      >
        <MenuItem value="">All</MenuItem>
        {ACTIONS.map((each) => (
          <MenuItem key={each} value={each}>
            {words(each)}
          </MenuItem>
        ))}
      </TextField>
      <TextField
        select
        size="small"
        label="Of what"
        value={value.object}
        onChange={(event) => onChange({ ...value, object: event.target.value as AuditObject })}
        {...SELECT}
      >
        <MenuItem value="">All</MenuItem>
        {OBJECTS.map((each) => (
          <MenuItem key={each} value={each}>
            {words(each)}
          </MenuItem>
        ))}
      </TextField>
      {(["from", "to"] as const).map((end) => (
        <TextField
          key={end}
          size="small"
          type="date"
          label={words(end)}
          value={value[end]}
          onChange={(event) => onChange({ ...value, [end]: event.target.value })}
          slotProps={{ inputLabel: { shrink: true } }}
        />
      ))}
    </Stack>
  );
}

const SELECT = {
  sx: { minWidth: 160, flexGrow: { xs: 1, sm: 0 } },
  slotProps: { select: { displayEmpty: true }, inputLabel: { shrink: true } },
};
