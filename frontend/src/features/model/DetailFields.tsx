/** What a model can do, how good it is, and the level it is pinned to. */
import Checkbox from "@mui/material/Checkbox";
import FormControl from "@mui/material/FormControl";
import FormControlLabel from "@mui/material/FormControlLabel";
import FormGroup from "@mui/material/FormGroup";
import FormLabel from "@mui/material/FormLabel";
import Grid from "@mui/material/Grid";
import { Choice, Field } from "../../common/fields";
import { LEVEL_OPTIONS } from "../../common/LevelChip";
import type { Capability, PowerLevel } from "../../gql/model";

export interface Details {
  displayName: string;
  contextLength: string;
  maxOutputTokens: string;
  quality: string;
  levelPin: PowerLevel | "";
  capabilities: readonly Capability[];
}

const CAPABILITIES: readonly (readonly [Capability, string])[] = [
  ["STREAMING", "Streaming"],
  ["TOOLS", "Tools"],
  ["JSON_SCHEMA", "JSON schema"],
  ["VISION", "Vision"],
  ["REASONING", "Reasoning"],
  ["PREFILL", "Prefill"],
];

const PINS = [["", "By its price"], ...LEVEL_OPTIONS] as const;
const HALF = { xs: 12, sm: 6 };

interface Props {
  details: Details;
  setDetails: (details: Details) => void;
}

export function DetailFields({ details, setDetails }: Props) {
  const bound = (name: "displayName" | "contextLength" | "maxOutputTokens" | "quality") => ({
    name,
    value: details[name],
    onChange: (value: string) => setDetails({ ...details, [name]: value }),
  });
  const toggle = (capability: Capability, on: boolean) => {
    const others = details.capabilities.filter((each) => each !== capability);
    setDetails({ ...details, capabilities: on ? [...others, capability] : others });
  };
  return (
    <>
      <Field label="Display name" helperText="Empty: its name." {...bound("displayName")} />
      <Grid container spacing={2}>
        <Grid size={HALF}>
          <Field label="Context window, tokens" type="number" {...bound("contextLength")} />
        </Grid>
        <Grid size={HALF}>
          <Field label="Longest answer, tokens" type="number" {...bound("maxOutputTokens")} />
        </Grid>
        <Grid size={HALF}>
          <Field
            label="Quality"
            type="number"
            helperText="0 to 1; empty when unknown."
            slotProps={{ htmlInput: { min: 0, max: 1, step: 0.01 } }}
            {...bound("quality")}
          />
        </Grid>
        <Grid size={HALF}>
          <Choice
            name="levelPin"
            label="Power level"
            value={details.levelPin}
            onChange={(levelPin) => setDetails({ ...details, levelPin })}
            options={PINS}
            slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
          />
        </Grid>
      </Grid>
      <FormControl component="fieldset">
        <FormLabel component="legend">Can do</FormLabel>
        <FormGroup row>
          {CAPABILITIES.map(([capability, label]) => (
            <FormControlLabel
              key={capability}
              label={label}
              control={
                <Checkbox
                  checked={details.capabilities.includes(capability)}
                  onChange={(_, checked) => toggle(capability, checked)}
                />
              }
            />
          ))}
        </FormGroup>
      </FormControl>
    </>
  );
}
