/** The fields of a price per 1M tokens, and the power level it comes to. */
import InputAdornment from "@mui/material/InputAdornment";
import Grid from "@mui/material/Grid";
import Typography from "@mui/material/Typography";
import { Field } from "../../common/fields";
import { blended, parsePrice } from "../../common/money";
import { PARTS, type Part, type Typed } from "./price";

interface Props {
  typed: Typed;
  setTyped: (typed: Typed) => void;
  required?: boolean;
}

const HINTS: Partial<Record<Part, string>> = {
  cachedInput: "Empty: as input",
  cacheWrite: "Empty: as input",
  cacheWrite1h: "Empty: as cache write",
  reasoning: "Empty: as output",
};

export const PRICE_FIELDS = PARTS.map(([part]) => `price.${part}`);

export function PriceFields({ typed, setTyped, required = false }: Props) {
  const [input, output] = [parsePrice(typed.input), parsePrice(typed.output)];
  return (
    <>
      <Typography variant="body2" color="textSecondary">
        US dollars per 1M tokens.
        {input !== null &&
          output !== null &&
          ` Blended 3:1: $${blended(input, output).toFixed(3)}, which decides the power level.`}
      </Typography>
      <Grid container spacing={2}>
        {PARTS.map(([part, label]) => (
          <Grid key={part} size={{ xs: 6, sm: part in HINTS ? 4 : 6 }}>
            <Field
              name={`price.${part}`}
              label={label}
              required={required && !(part in HINTS)}
              value={typed[part]}
              onChange={(value) => setTyped({ ...typed, [part]: value })}
              helperText={HINTS[part]}
              slotProps={{
                htmlInput: { inputMode: "decimal" },
                input: { startAdornment: <InputAdornment position="start">$</InputAdornment> },
              }}
            />
          </Grid>
        ))}
      </Grid>
    </>
  );
}
