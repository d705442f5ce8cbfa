/** Usage over time: bars of what adds up, lines of what does not. */
import { useTheme } from "@mui/material/styles";
import { BarChart } from "@mui/x-charts/BarChart";
import { LineChart } from "@mui/x-charts/LineChart";
import { compact, duration } from "../../common/format";
import { dollars } from "../../common/money";
import type { UsageInterval, UsageSummaryQuery } from "../../gql/usage";

export type Measure = "cost" | "requests" | "tokens" | "latency";
type Point = UsageSummaryQuery["usage"]["series"][number];

const DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const HOUR = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "numeric" });
const time = (value: number | null) => (value === null ? "" : duration(value));
const money = (value: number | null) => (value === null ? "" : dollars(value.toFixed(9)));
const count = (value: number | null) => (value === null ? "" : compact(value));

interface Props {
  series: Point[];
  measure: Measure;
  interval: UsageInterval;
}

export default function SeriesChart({ series, measure, interval }: Props) {
  const palette = useTheme().vars!.palette;
  const format = interval === "HOUR" ? HOUR : DAY;
  const labels = series.map(({ start }) => format.format(new Date(start)));
  const shared = {
    height: 260,
    margin: { left: 0, right: 8, top: 16, bottom: 0 },
    grid: { horizontal: true },
    skipAnimation: true,
  };
  if (measure === "latency") {
    return (
      <LineChart
        {...shared}
        xAxis={[{ scaleType: "point", data: labels }]}
        yAxis={[{ width: 64, valueFormatter: time }]}
        series={latencyOf(series)}
        colors={[palette.primary.main, palette.secondary.main, palette.error.main]}
      />
    );
  }
  return (
    <BarChart
      {...shared}
      xAxis={[{ scaleType: "band", data: labels }]}
      yAxis={[{ width: 64, valueFormatter: measure === "cost" ? money : count }]}
      series={seriesOf(series, measure, palette.error.main)}
      colors={[palette.primary.main, palette.secondary.main]}
    />
  );
}

/** Where nobody was answered there is nothing to draw. */
function latencyOf(points: Point[]) {
  const shared = { valueFormatter: time, showMark: false, connectNulls: false };
  return [
    { data: points.map(({ latencyP50Ms }) => latencyP50Ms), label: "p50", ...shared },
    { data: points.map(({ latencyP95Ms }) => latencyP95Ms), label: "p95", ...shared },
    { data: points.map(({ latencyP99Ms }) => latencyP99Ms), label: "p99", ...shared },
  ];
}

function seriesOf(points: Point[], measure: Exclude<Measure, "latency">, bad: string) {
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
