/** The sums of a span of time, and how each moved against the span before. */
import Box from "@mui/material/Box";
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Grid from "@mui/material/Grid";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";
import { compact, duration, percent, whole } from "../../common/format";
import { dollars } from "../../common/money";
import type { TotalFiguresFragment } from "../../gql/usage";
import { type Change, changeOf } from "./change";

type Totals = TotalFiguresFragment;

interface Figure {
  label: string;
  value: (totals: Totals) => string;
  about: (totals: Totals) => string;
  /** What is compared with the span before. */
  measure: (totals: Totals) => number | string | null;
  /** Which way is good; neither where it depends. */
  good?: "up" | "down";
}

const FIGURES: readonly Figure[] = [
  {
    label: "Cost",
    value: ({ cost }) => dollars(cost),
    about: ({ unpricedRequests, shadowCost }) =>
      [
        Number(shadowCost) > 0 ? `${dollars(shadowCost)} of it by own keys` : "",
        unpricedRequests > 0 ? `without ${whole(unpricedRequests)} of unknown price` : "",
      ]
        .filter(Boolean)
        .join(", ") || "exact",
    measure: ({ cost }) => cost,
  },
  {
    label: "Requests",
    value: ({ requests }) => whole(requests),
    about: ({ uniqueUsers }) =>
      uniqueUsers === 1 ? "by 1 user" : `by ${whole(uniqueUsers)} users`,
    measure: ({ requests }) => requests,
  },
  {
    label: "Average cost",
    value: ({ averageCost }) => (averageCost ? dollars(averageCost) : "–"),
    about: () => "per request",
    measure: ({ averageCost }) => averageCost,
    good: "down",
  },
  {
    label: "Tokens",
    value: ({ inputTokens, outputTokens }) => compact(inputTokens + outputTokens),
    about: ({ inputTokens, outputTokens, cachedShare }) =>
      `${compact(inputTokens)} in (${percent(cachedShare, 0)} cached), ${compact(outputTokens)} out`,
    measure: ({ inputTokens, outputTokens }) => inputTokens + outputTokens,
  },
  {
    label: "Errors",
    value: ({ errorRate }) => percent(errorRate),
    about: ({ errors }) => (errors === 1 ? "1 request" : `${whole(errors)} requests`),
    measure: ({ errorRate }) => errorRate,
    good: "down",
  },
  {
    label: "Latency p50",
    value: ({ latencyP50Ms }) => duration(latencyP50Ms),
    about: ({ latencyP95Ms, latencyP99Ms }) =>
      `p95 ${duration(latencyP95Ms)}, p99 ${duration(latencyP99Ms)}`,
    measure: ({ latencyP50Ms }) => latencyP50Ms,
    good: "down",
  },
  {
    label: "First token p50",
    value: ({ firstTokenP50Ms }) => duration(firstTokenP50Ms),
    about: ({ firstTokenP95Ms, firstTokenP99Ms }) =>
      `p95 ${duration(firstTokenP95Ms)}, p99 ${duration(firstTokenP99Ms)}`,
    measure: ({ firstTokenP50Ms }) => firstTokenP50Ms,
    good: "down",
  },
];

interface Props {
  totals: Totals | undefined;
  previous: Totals | undefined;
}

export function Cards({ totals, previous }: Props) {
  return (
    <Grid container spacing={2} columns={{ xs: 2, sm: 4, lg: 7 }}>
      {FIGURES.map((figure) => (
        <Grid key={figure.label} size={1}>
          <Card variant="outlined" sx={{ height: "100%" }}>
            <CardContent sx={{ "&:last-child": { pb: 2 } }}>
              <Typography variant="body2" color="textSecondary">
                {figure.label}
              </Typography>
              <Typography variant="h1" component="p" sx={VALUE}>
                {totals ? figure.value(totals) : <Skeleton width={80} />}
              </Typography>
              {totals && previous && (
                <Moved
                  change={changeOf(figure.measure(totals), figure.measure(previous))}
                  good={figure.good}
                  before={figure.value(previous)}
                />
              )}
              <Typography variant="caption" color="textSecondary" sx={{ display: "block" }}>
                {totals ? figure.about(totals) : <Waiting />}
              </Typography>
            </CardContent>
          </Card>
        </Grid>
      ))}
    </Grid>
  );
}

/** As high as what is mostly said, so that nothing jumps when it is there. */
function Waiting() {
  return (
    <>
      <Skeleton />
      <Skeleton />
      <Skeleton width="60%" />
    </>
  );
}

interface MovedProps {
  change: Change | null;
  good: Figure["good"];
  before: string;
}

function Moved({ change, good, before }: MovedProps) {
  if (!change) return null;
  const isPlain = !good || change.direction === "same";
  const color = isPlain
    ? "text.secondary"
    : change.direction === good
      ? "success.main"
      : "error.main";
  return (
    <Typography variant="caption" title={`${before} in the span before`} sx={{ display: "block" }}>
      <Box component="span" sx={{ color, fontWeight: 600 }}>
        {change.text === "new" ? "new:" : change.text}
      </Box>{" "}
      {change.text === "new" ? "nothing before" : "on before"}
    </Typography>
  );
}

const VALUE = { fontSize: "1.3rem", whiteSpace: "nowrap" };
