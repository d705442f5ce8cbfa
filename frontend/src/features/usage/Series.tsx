/** The chart of a period, with the choice of what it shows. */
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { lazy, Suspense, useState } from "react";
import { Toggle } from "../../common/Toggle";
import type { UsageInterval, UsageSummaryQuery } from "../../gql/usage";
import type { Measure } from "./SeriesChart";

const SeriesChart = lazy(() => import("./SeriesChart"));

const MEASURES: readonly (readonly [Measure, string])[] = [
  ["cost", "Cost"],
  ["requests", "Requests"],
  ["tokens", "Tokens"],
  ["latency", "Latency"],
];

interface Props {
  series: UsageSummaryQuery["usage"]["series"] | undefined;
  interval: UsageInterval;
}

export function Series({ series, interval }: Props) {
  const [measure, setMeasure] = useState<Measure>("cost");
  const title = interval === "HOUR" ? "Hour by hour" : "Day by day";
  const waiting = <Skeleton variant="rounded" height={260} />;
  return (
    <Card variant="outlined" component="section" aria-label={title}>
      <CardContent>
        <Stack
          direction="row"
          useFlexGap
          sx={{ justifyContent: "space-between", alignItems: "center", flexWrap: "wrap", mb: 1 }}
        >
          <Typography variant="h2">{title}</Typography>
          <Toggle
            label="What the chart shows"
            value={measure}
            options={MEASURES}
            onChange={setMeasure}
          />
        </Stack>
        {series ? (
          <Suspense fallback={waiting}>
            <SeriesChart series={series} measure={measure} interval={interval} />
          </Suspense>
        ) : (
          waiting
        )}
      </CardContent>
    </Card>
  );
}
