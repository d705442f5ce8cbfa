/** Where power levels begin and end, and what bounds each request. */
import FormControlLabel from "@mui/material/FormControlLabel";
import Grid from "@mui/material/Grid";
import InputAdornment from "@mui/material/InputAdornment";
import Switch from "@mui/material/Switch";
import { Choice, Field } from "../../common/fields";
import { LEVEL_OPTIONS } from "../../common/LevelChip";
import type { Draft } from "./draft";

interface Props {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

const HALF = { xs: 12, sm: 6 };
const ATTEMPTS = Array.from({ length: 10 }, (_, index) => String(index + 1));

export function Levels({ draft, onChange }: Props) {
  return (
    <Grid container spacing={2}>
      <Grid size={HALF}>
        <Field
          name="ecoBelow"
          label="Eco ends at"
          value={draft.ecoBelow}
          onChange={(ecoBelow) => onChange({ ecoBelow })}
          helperText="Per 1M tokens, blended 3:1."
          slotProps={DOLLARS}
        />
      </Grid>
      <Grid size={HALF}>
        <Field
          name="precisionFrom"
          label="Precision begins at"
          value={draft.precisionFrom}
          onChange={(precisionFrom) => onChange({ precisionFrom })}
          helperText="Per 1M tokens, blended 3:1."
          slotProps={DOLLARS}
        />
      </Grid>
      <Grid size={HALF}>
        <Choice
          name="defaultLevel"
          label="Level of those who chose none"
          value={draft.defaultLevel}
          onChange={(defaultLevel) => onChange({ defaultLevel })}
          options={LEVEL_OPTIONS}
        />
      </Grid>
      <Grid size={HALF}>
        <Choice
          name="maxAttempts"
          label="Upstream calls per request, at most"
          value={String(draft.maxAttempts)}
          onChange={(value) => onChange({ maxAttempts: Number(value) })}
          options={ATTEMPTS.map((each) => [each, each] as const)}
        />
      </Grid>
      <Grid size={12}>
        <FormControlLabel
          label="A provider's priority goes before everything else"
          control={
            <Switch
              checked={draft.priorityTiers}
              onChange={(_, priorityTiers) => onChange({ priorityTiers })}
            />
          }
        />
      </Grid>
    </Grid>
  );
}

const DOLLARS = {
  htmlInput: { inputMode: "decimal" as const },
  input: { startAdornment: <InputAdornment position="start">$</InputAdornment> },
};
