/** Where power levels begin and end, and what bounds each request. */
import FormControlLabel from "@mui/material/FormControlLabel";
import Grid from "@mui/material/Grid";
import InputAdornment from "@mui/material/InputAdornment";
import Switch from "@mui/material/Switch";
import { useState } from "react";
import { Choice, Field } from "../../common/fields";
import { LEVEL_OPTIONS } from "../../common/LevelChip";
import { namesOf } from "../../common/names";
import type { RuleScope } from "../../gql/rule";
import { decidable, type Draft } from "./draft";

interface Props {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
  scope: RuleScope;
}

const HALF = { xs: 12, sm: 6 };
const ATTEMPTS = Array.from({ length: 10 }, (_, index) => String(index + 1));

export function Levels({ draft, onChange, scope }: Props) {
  return (
    <Grid container spacing={2}>
      {decidable(scope, "ecoBelow") &&
        BOUNDS.map(([name, label]) => (
          <Grid key={name} size={HALF}>
            <Field
              name={name}
              label={label}
              value={draft[name]}
              onChange={(value) => onChange({ [name]: value })}
              helperText="Per 1M tokens, blended 3:1."
              slotProps={DOLLARS}
            />
          </Grid>
        ))}
      {decidable(scope, "defaultLevel") && (
        <Grid size={HALF}>
          <Choice
            name="defaultLevel"
            label="Level of those who chose none"
            value={draft.defaultLevel}
            onChange={(defaultLevel) => onChange({ defaultLevel })}
            options={LEVEL_OPTIONS}
          />
        </Grid>
      )}
      <Grid size={HALF}>
        <Choice
          name="maxAttempts"
          label="Upstream calls per request, at most"
          value={String(draft.maxAttempts)}
          onChange={(value) => onChange({ maxAttempts: Number(value) })}
          options={ATTEMPTS.map((each) => [each, each] as const)}
        />
      </Grid>
      <Grid size={HALF}>
        <Regions value={draft.regions} onChange={(regions) => onChange({ regions })} />
      </Grid>
      {SWITCHES.filter(([name]) => decidable(scope, name)).map(([name, label]) => (
        <Grid key={name} size={12}>
          <FormControlLabel
            label={label}
            sx={{ ml: 0 }}
            control={
              <Switch
                checked={draft[name]}
                onChange={(_, checked) => onChange({ [name]: checked })}
              />
            }
          />
        </Grid>
      ))}
    </Grid>
  );
}

interface RegionsProps {
  value: Draft["regions"];
  onChange: (regions: string[] | null) => void;
}

/** Typed by comma; empty: any. */
function Regions({ value, onChange }: RegionsProps) {
  const [text, setText] = useState(value?.join(", ") ?? "");
  return (
    <Field
      name="regions"
      label="Only regions (optional)"
      value={text}
      onChange={(typed) => {
        setText(typed);
        const names = namesOf(typed);
        onChange(names.length > 0 ? names : null);
      }}
      helperText="By comma, as providers have them. Empty: any."
    />
  );
}

const BOUNDS = [
  ["ecoBelow", "Eco ends at"],
  ["precisionFrom", "Precision begins at"],
] as const;
const SWITCHES = [
  ["priorityTiers", "A provider's priority goes before everything else"],
  ["contentFilterFallback", "What one provider's content filter refuses may be asked of the next"],
] as const;

const DOLLARS = {
  htmlInput: { inputMode: "decimal" as const },
  input: { startAdornment: <InputAdornment position="start">$</InputAdornment> },
};
