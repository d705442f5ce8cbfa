/** One candidate: what it would cost and take, and the parts of its score as one bar. */
import Box from "@mui/material/Box";
import Stack from "@mui/material/Stack";
import Tooltip from "@mui/material/Tooltip";
import Typography from "@mui/material/Typography";
import { duration, percent } from "../../common/format";
import { dollars } from "../../common/money";
import { type Candidate, reason } from "./words";

const PARTS = {
  COST: ["Cost", "primary.main"],
  LATENCY: ["Latency", "secondary.main"],
  QUALITY: ["Quality", "success.main"],
} as const;

export function Legend() {
  return (
    <Stack direction="row" spacing={2} aria-hidden sx={{ mb: 1 }}>
      {Object.values(PARTS).map(([label, color]) => (
        <Stack key={label} direction="row" spacing={0.75} sx={{ alignItems: "center" }}>
          <Box sx={{ width: 12, height: 12, borderRadius: 0.5, bgcolor: color }} />
          <Typography variant="body2">{label}</Typography>
        </Stack>
      ))}
    </Stack>
  );
}

export function CandidateRow({ candidate, scale }: { candidate: Candidate; scale: number }) {
  const { reference, eligible, rank, isFallback, exclusions } = candidate;
  return (
    <Box component="li" sx={{ py: 0.75 }}>
      <Stack
        direction="row"
        useFlexGap
        spacing={1}
        sx={{ justifyContent: "space-between", flexWrap: "wrap" }}
      >
        <Typography
          variant="body2"
          sx={{ fontWeight: rank === 1 ? 700 : 500, wordBreak: "break-word" }}
        >
          {rank !== null && `${rank}. `}
          {reference}
          {isFallback && " (fallback)"}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {eligible ? figures(candidate) : exclusions.map(reason).join("; ")}
        </Typography>
      </Stack>
      {eligible && <Bar candidate={candidate} scale={scale} />}
    </Box>
  );
}

function figures({ expectedCost, terms, latency, quality, qualityBasis }: Candidate): string {
  const cold = latency.state === "COLD" ? " (assumed)" : "";
  const assumed = qualityBasis === "ASSUMED" ? " (assumed)" : "";
  // What the score goes by: at more dollars a longer answer may still have the lower price.
  const price = terms.find(({ dimension }) => dimension === "COST")?.raw ?? null;
  const rate = price === null ? "" : ` (${dollars(price.toFixed(6))} per 1M)`;
  const cost = expectedCost === null ? "price unknown" : `${dollars(expectedCost)}${rate}`;
  return `${cost} · ${duration(latency.total * 1_000)}${cold} · quality ${percent(quality, 0)}${assumed}`;
}

function Bar({ candidate, scale }: { candidate: Candidate; scale: number }) {
  const { terms, total } = candidate;
  const label = terms
    .map(({ dimension, contribution }) => `${PARTS[dimension][0]} ${contribution.toFixed(3)}`)
    .join(", ");
  return (
    <Tooltip title={`${label}; total ${total.toFixed(3)}`}>
      <Box
        role="img"
        aria-label={`Score ${total.toFixed(3)}: ${label}`}
        sx={{
          display: "flex",
          height: 12,
          mt: 0.5,
          borderRadius: 1,
          overflow: "hidden",
          bgcolor: "action.hover",
        }}
      >
        {terms.map(({ dimension, contribution }) => (
          <Box
            key={dimension}
            sx={{
              width: `${(Math.max(0, contribution) / scale) * 100}%`,
              bgcolor: PARTS[dimension][1],
              transition: "width 200ms",
            }}
          />
        ))}
      </Box>
    </Tooltip>
  );
}
