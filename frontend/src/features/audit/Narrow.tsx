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

const ACTIONS = Object.keys({
  CREATE: 0,
  UPDATE: 0,
  DELETE: 0,
  PUBLISH: 0,
  ROLL_BACK: 0,
  SET_PRICE: 0,
  ROTATE: 0,
  REVOKE: 0,
  DISABLE: 0,
  ENABLE: 0,
  CREDIT: 0,
  ADJUST: 0,
  REFUND: 0,
  TEST: 0,
  REPLAY: 0,
  SEED: 0,
} satisfies Record<AuditAction, 0>);
const OBJECTS = Object.keys({
  PROVIDER: 0,
  MODEL: 0,
  CREDENTIAL: 0,
  ROUTING_RULE_VERSION: 0,
  ROUTING_DRAFT: 0,
  API_KEY: 0,
  USER: 0,
  ORGANIZATION: 0,
  WALLET: 0,
  CREDIT_SETTINGS: 0,
  WEBHOOK: 0,
  WEBHOOK_DELIVERY: 0,
  USAGE_RETENTION: 0,
  MASTER_KEY: 0,
  CATALOGUE: 0,
} satisfies Record<AuditObject, 0>);

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
