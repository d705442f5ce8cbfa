/** A power level, by name and colour. */
import Chip from "@mui/material/Chip";

const LEVELS = {
  ECO: ["Eco", "success"],
  BALANCED: ["Balanced", "info"],
  PRECISION: ["Precision", "secondary"],
} as const;

export type Level = keyof typeof LEVELS;

export const LEVEL_OPTIONS = Object.entries(LEVELS).map(
  ([level, [label]]) => [level as Level, label] as const,
);

export function LevelChip({ level, pinned = false }: { level: Level | null; pinned?: boolean }) {
  if (!level) return <Chip size="small" variant="outlined" label="No level" />;
  const [label, color] = LEVELS[level];
  return (
    <Chip
      size="small"
      variant="outlined"
      color={color}
      label={pinned ? `${label}, pinned` : label}
    />
  );
}
