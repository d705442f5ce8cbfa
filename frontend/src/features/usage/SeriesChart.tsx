/** Usage day by day, as bars. */
import { useTheme } from "@mui/material/styles";
import { BarChart } from "@mui/x-charts/BarChart";
import { compact } from "../../common/format";
import { dollars } from "../../common/money";
import type { UsageSummaryQuery } from "../../gql/usage";

export type Measure = "cost" | "requests" | "tokens";
type Point = UsageSummaryQuery["usage"]["series"][number];

const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const money = (value: number | null) => (value === null ? "" : dollars(value.toFixed(9)));
const count = (value: number | null) => (value === null ? "" : compact(value));

export default function SeriesChart({ series, measure }: { series: Point[]; measure: Measure }) {
  const palette = useTheme().vars!.palette;
  return (
    <BarChart
      height={260}
      xAxis={[{ scaleType: "band", data: series.map(({ start }) => DAY.format(new Date(start))) }]}
      yAxis={[{ width: 64, valueFormatter: measure === "cost" ? money : count }]}
      series={seriesOf(series, measure, palette.error.main)}
      margin={{ left: 0, right: 8, top: 16, bottom: 0 }}
      grid={{ horizontal: true }}
      colors={[palette.primary.main, palette.secondary.main]}
      skipAnimation
    />
  );
}

function seriesOf(points: Point[], measure: Measure, bad: string) {
  if (measure === "cost") {
    const data = points.map(({ cost }) => Number(cost));
    return [{ data, label: "Cost", valueFormatter: money }];
  }
  if (measure === "tokens") {
    const input = points.map(({ inputTokens }) => Number(inputTokens));
    const output = points.map(({ outputTokens }) => Number(outputTokens));
    return [
      { data: input, label: "Input tokens", stack: "all", valueFormatter: count },
      { data: output, label: "Output tokens", stack: "all", valueFormatter: count },
    ];
  }
  const good = points.map(({ requests, errors }) => Number(requests) - Number(errors));
  const failed = points.map(({ errors }) => Number(errors));
  return [
    { data: good, label: "Answered", stack: "all", valueFormatter: count },
    { data: failed, label: "Errors", stack: "all", color: bad, valueFormatter: count },
  ];
}
