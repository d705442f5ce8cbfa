/** How eligible models are ranked. */
import FormControlLabel from "@mui/material/FormControlLabel";
import Radio from "@mui/material/Radio";
import RadioGroup from "@mui/material/RadioGroup";
import Typography from "@mui/material/Typography";
import type { Strategy } from "../../gql/rule";
import { type Draft, STRATEGIES } from "./draft";
import { WeightSliders } from "./WeightSliders";

interface Props {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

export function StrategyChoice({ draft, onChange }: Props) {
  return (
    <>
      <RadioGroup
        aria-label="Strategy"
        value={draft.strategy}
        onChange={(_, strategy) => onChange({ strategy: strategy as Strategy })}
      >
        {STRATEGIES.map(([strategy, label, about]) => (
          <FormControlLabel
            key={strategy}
            value={strategy}
            control={<Radio size="small" />}
            label={
              <span>
                {label}
                <Typography component="span" variant="body2" color="textSecondary">
                  {" "}
                  – {about}
                </Typography>
              </span>
            }
          />
        ))}
      </RadioGroup>
      {draft.strategy === "CUSTOM" && (
        <WeightSliders
          weights={draft.weights}
          onChange={(weights) => onChange({ weights: { ...draft.weights, ...weights } })}
        />
      )}
    </>
  );
}
