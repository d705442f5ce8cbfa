/** Every priced model over its price, in the bands of the power levels; a click searches for it. */
import Box from "@mui/material/Box";
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import { useTheme } from "@mui/material/styles";
import Typography from "@mui/material/Typography";
import { useQuery } from "urql";
import { LEVEL_OPTIONS } from "../../common/LevelChip";
import { blended } from "../../common/money";
import { useIsAdmin } from "../../common/viewer";
import { LevelBandsDocument, type ModelFilter } from "../../gql/model";
import { type Bands, DEFAULT_BANDS, positionOf, TICKS } from "./bands";
import { MOST_DRAWN, type Priced, usePriced } from "./usePriced";

const PALETTE = { ECO: "success", BALANCED: "info", PRECISION: "secondary" } as const;
const HEIGHT = 150;

interface Props {
  filter: ModelFilter;
  /** Counts the changes that may have moved a model. */
  moment: number;
  onChoose: (reference: string) => void;
}

export function BandsChart({ filter, moment, onChoose }: Props) {
  const bands = useBands();
  const { models, isWhole } = usePriced(filter, moment);
  const drawn = models?.filter((each) => each.currentPrice) ?? [];
  return (
    <Card variant="outlined" component="section" aria-label="Prices and power levels">
      <CardContent>
        <Stack
          direction="row"
          useFlexGap
          sx={{ flexWrap: "wrap", justifyContent: "space-between", mb: 1 }}
        >
          <Typography variant="h2">Prices and power levels</Typography>
          <Typography variant="body2" color="textSecondary">
            {models ? countText(drawn.length, isWhole) : "Models with a price"}, blended 3:1 per 1M
            tokens; higher is better quality
          </Typography>
        </Stack>
        {models ? (
          <Plot models={drawn} bands={bands} onChoose={onChoose} />
        ) : (
          <Skeleton variant="rounded" height={HEIGHT + 24} />
        )}
      </CardContent>
    </Card>
  );
}

function countText(drawn: number, isWhole: boolean): string {
  const most = `the ${MOST_DRAWN.toLocaleString()} dearest`;
  return isWhole ? `${drawn.toLocaleString()} models with a price` : most;
}

function useBands(): Bands {
  const [{ data }] = useQuery({ query: LevelBandsDocument, pause: !useIsAdmin() });
  const found = data?.routingRules.settings;
  if (!found) return DEFAULT_BANDS;
  return { ecoBelow: Number(found.ecoBelow), precisionFrom: Number(found.precisionFrom) };
}

interface PlotProps {
  models: readonly Priced[];
  bands: Bands;
  onChoose: (reference: string) => void;
}

function Plot({ models, bands, onChoose }: PlotProps) {
  const { palette } = useTheme().vars!;
  const edges = [0, positionOf(bands.ecoBelow), positionOf(bands.precisionFrom), 1];
  return (
    <Box sx={{ position: "relative", height: HEIGHT + 24 }}>
      {LEVEL_OPTIONS.map(([level, label], index) => (
        <Box key={level} sx={bandStyle(edges[index] ?? 0, edges[index + 1] ?? 1)}>
          <Box
            sx={{
              position: "absolute",
              inset: 0,
              bgcolor: `${PALETTE[level]}.main`,
              opacity: 0.09,
            }}
          />
          <Typography variant="caption" sx={{ position: "absolute", left: 6, top: 2 }}>
            {label} · {models.filter((each) => each.powerLevel === level).length}
          </Typography>
        </Box>
      ))}
      <svg
        width="100%"
        height={HEIGHT}
        style={{ position: "absolute", overflow: "visible" }}
        aria-hidden
      >
        {models.map((each) => (
          <Dot
            key={each.id}
            model={each}
            color={each.powerLevel ? palette[PALETTE[each.powerLevel]].main : palette.text.disabled}
            onClick={() => onChoose(each.reference)}
          />
        ))}
      </svg>
      {TICKS.map((each) => (
        <Typography key={each} variant="caption" color="textSecondary" sx={tickStyle(each)}>
          ${each}
        </Typography>
      ))}
    </Box>
  );
}

interface DotProps {
  model: Priced;
  color: string;
  onClick: () => void;
}

/** Hollow while its quality is unknown, square when it is pinned. The list below has them all. */
function Dot({ model, color, onClick }: DotProps) {
  const { reference, currentPrice, quality, levelPin } = model;
  const price = blended(currentPrice?.input ?? "0", currentPrice?.output ?? "0");
  const known = quality === null ? "unknown" : `${Math.round(quality * 100)} %`;
  const y = 27 + (1 - (quality ?? 0)) * (HEIGHT - 34);
  return (
    <rect
      x={`${positionOf(price) * 100}%`}
      y={y - 5}
      transform="translate(-5)"
      width="10"
      height="10"
      rx={levelPin ? 2 : 5}
      fill={quality === null ? "transparent" : color}
      stroke={color}
      opacity="0.75"
      cursor="pointer"
      onClick={onClick}
    >
      <title>
        {`${reference}: $${price.toFixed(3)}, quality ${known}${levelPin ? ", pinned" : ""}`}
      </title>
    </rect>
  );
}

const bandStyle = (from: number, to: number) => ({
  position: "absolute",
  left: `${from * 100}%`,
  width: `${(to - from) * 100}%`,
  height: HEIGHT,
  borderLeft: from === 0 ? 0 : 1,
  borderColor: "divider",
});

const tickStyle = (price: number) => ({
  position: "absolute",
  top: HEIGHT + 4,
  left: `${positionOf(price) * 100}%`,
  transform: `translateX(-${positionOf(price) * 100}%)`,
});
