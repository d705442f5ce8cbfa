/** The sums of a period, and how they went day by day. */
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Grid from "@mui/material/Grid";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";
import { compact, duration, percent, whole } from "../../common/format";
import { dollars } from "../../common/money";
import type { UsageSummaryQuery } from "../../gql/usage";

type Totals = UsageSummaryQuery["usage"]["totals"];

export function Cards({ totals }: { totals: Totals | undefined }) {
  const figures: [string, string | undefined, string | undefined][] = [
    ["Cost", totals && dollars(totals.cost), totals && unpriced(totals)],
    ["Requests", totals && whole(totals.requests), totals && users(totals)],
    [
      "Average cost",
      totals && (totals.averageCost ? dollars(totals.averageCost) : "–"),
      "per request",
    ],
    [
      "Tokens in / out",
      totals && tokens(totals),
      totals && `${compact(totals.cachedTokens)} cached`,
    ],
    ["Errors", totals && percent(totals.errorRate), totals && `${whole(totals.errors)} requests`],
    ["Latency p50", totals && duration(totals.latencyP50Ms), totals && p95(totals)],
  ];
  return (
    <Grid container spacing={2}>
      {figures.map(([label, value, about]) => (
        <Grid key={label} size={{ xs: 6, sm: 4, lg: 2 }}>
          <Card variant="outlined" sx={{ height: "100%" }}>
            <CardContent sx={{ "&:last-child": { pb: 2 } }}>
              <Typography variant="body2" color="textSecondary">
                {label}
              </Typography>
              <Typography variant="h1" component="p" sx={{ fontSize: "1.4rem" }}>
                {value ?? <Skeleton width={80} />}
              </Typography>
              <Typography variant="caption" color="textSecondary">
                {about}
              </Typography>
            </CardContent>
          </Card>
        </Grid>
      ))}
    </Grid>
  );
}

const tokens = ({ inputTokens, outputTokens }: Totals) =>
  `${compact(inputTokens)} / ${compact(outputTokens)}`;
const p95 = ({ latencyP95Ms }: Totals) => `p95 ${duration(latencyP95Ms)}`;
const users = ({ uniqueUsers }: Totals) =>
  uniqueUsers === 1 ? "by 1 user" : `by ${whole(uniqueUsers)} users`;
const unpriced = ({ unpricedRequests }: Totals) =>
  unpricedRequests === 0 ? "exact" : `without ${whole(unpricedRequests)} of unknown price`;
