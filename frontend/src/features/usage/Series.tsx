/** The chart of a period, with the choice of what it shows. */
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import Typography from "@mui/material/Typography";
import { lazy, Suspense, useState } from "react";
import type { UsageSummaryQuery } from "../../gql/usage";
import type { Measure } from "./SeriesChart";

const SeriesChart = lazy(() => import("./SeriesChart"));

const MEASURES: readonly (readonly [Measure, string])[] = [
  ["cost", "Cost"],
  ["requests", "Requests"],
  ["tokens", "Tokens"],
];

export function Series({ series }: { series: UsageSummaryQuery["usage"]["series"] | undefined }) {
  const [measure, setMeasure] = useState<Measure>("cost");
  const waiting = <Skeleton variant="rounded" height={260} />;
  return (
    <Card variant="outlined" component="section" aria-label="Day by day">
      <CardContent>
        <Stack
          direction="row"
          useFlexGap
          sx={{ justifyContent: "space-between", alignItems: "center", flexWrap: "wrap", mb: 1 }}
        >
          <Typography variant="h2">Day by day</Typography>
          <ToggleButtonGroup
            exclusive
            size="small"
            aria-label="What the chart shows"
            value={measure}
            onChange={(_, chosen: Measure | null) => chosen && setMeasure(chosen)}
          >
            {MEASURES.map(([value, label]) => (
              <ToggleButton key={value} value={value}>
                {label}
              </ToggleButton>
            ))}
          </ToggleButtonGroup>
        </Stack>
        {series ? (
          <Suspense fallback={waiting}>
            <SeriesChart series={series} measure={measure} />
          </Suspense>
        ) : (
          waiting
        )}
      </CardContent>
    </Card>
  );
}
