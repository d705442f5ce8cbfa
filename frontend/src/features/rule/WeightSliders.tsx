/** Three sliders that always sum to 100 %. */
import Slider from "@mui/material/Slider";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { percent, words } from "../../common/format";
import { DIMENSIONS, rebalanced, WHOLE, type Weights } from "./weights";

interface Props {
  weights: Weights;
  onChange: (weights: Weights) => void;
}

export function WeightSliders({ weights, onChange }: Props) {
  return (
    <Stack role="group" aria-label="Weights" spacing={0.5}>
      {DIMENSIONS.map((each) => (
        <Stack key={each} direction="row" spacing={2} sx={{ alignItems: "center" }}>
          <Typography id={`weight-${each}`} sx={{ width: 72 }}>
            {words(each)}
          </Typography>
          <Slider
            aria-labelledby={`weight-${each}`}
            min={0}
            max={WHOLE}
            step={100}
            value={weights[each]}
            onChange={(_, value) => onChange(rebalanced(weights, each, Number(value)))}
            getAriaValueText={(value) => percent(value / WHOLE, 0)}
          />
          <Typography sx={{ width: 56, textAlign: "right", fontVariantNumeric: "tabular-nums" }}>
            {percent(weights[each] / WHOLE, 0)}
          </Typography>
        </Stack>
      ))}
    </Stack>
  );
}
