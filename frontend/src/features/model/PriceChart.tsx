/** A model's input and output price as steps through time. */
import Box from "@mui/material/Box";
import Stack from "@mui/material/Stack";
import { useTheme } from "@mui/material/styles";
import Typography from "@mui/material/Typography";
import { price as shown } from "../../common/money";
import type { PriceFieldsFragment } from "../../gql/model";
import { stepsOf } from "./steps";

const WIDTH = 560;
const HEIGHT = 120;
const DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });

const LINES = [
  ["input", "Input"],
  ["output", "Output"],
] as const;

/** `prices` newest first. */
export function PriceChart({ prices }: { prices: readonly PriceFieldsFragment[] }) {
  const { palette } = useTheme().vars!;
  const now = Date.now();
  const { paths, most, since } = stepsOf(prices, now, WIDTH, HEIGHT);
  const colours = { input: palette.primary.main, output: palette.secondary.main };
  return (
    <Box>
      <Stack direction="row" spacing={2}>
        {LINES.map(([part, label]) => (
          <Stack key={part} direction="row" spacing={0.75} sx={{ alignItems: "center" }}>
            <Box sx={{ width: 14, height: 3, bgcolor: colours[part] }} />
            <Typography variant="caption">{label}</Typography>
          </Stack>
        ))}
        <Typography
          variant="caption"
          color="textSecondary"
          sx={{ flexGrow: 1, textAlign: "right" }}
        >
          up to {shown(String(most))} per 1M
        </Typography>
      </Stack>
      <svg
        viewBox={`0 -4 ${WIDTH} ${HEIGHT + 8}`}
        width="100%"
        height={HEIGHT}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Price history: ${prices.length} prices since ${DAY.format(since)}`}
      >
        <line x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} stroke={palette.divider} />
        {LINES.map(([part]) => (
          <path
            key={part}
            d={paths[part]}
            fill="none"
            stroke={colours[part]}
            strokeWidth="2"
            vectorEffect="non-scaling-stroke"
          />
        ))}
      </svg>
      <Stack direction="row" sx={{ justifyContent: "space-between" }}>
        <Typography variant="caption" color="textSecondary">
          {DAY.format(since)}
        </Typography>
        <Typography variant="caption" color="textSecondary">
          now
        </Typography>
      </Stack>
    </Box>
  );
}
