/** A provider's last day, hour by hour: its latency as a line, its failed requests as bars. */
import { useTheme } from "@mui/material/styles";
import { useMemo } from "react";
import { useQuery } from "urql";
import { duration, whole } from "../../common/format";
import { ProviderTrendDocument } from "../../gql/provider";
import { trendOf } from "./hours";

const HOUR_MS = 3_600_000;
const WIDTH = 96;
const HEIGHT = 24;

export function Trend({ id, name }: { id: string; name: string }) {
  const from = useMemo(() => {
    const hour = Math.floor(Date.now() / HOUR_MS);
    return new Date((hour - 23) * HOUR_MS).toISOString();
  }, []);
  const { palette } = useTheme().vars!;
  const [{ data }] = useQuery({
    query: ProviderTrendDocument,
    variables: { provider: id, from },
    requestPolicy: "cache-first",
  });
  const points = data?.usage.series ?? [];
  const { line, bars, requests, errors, slowest } = trendOf(points, WIDTH, HEIGHT);
  if (requests === 0) return "–";
  const said = `${name}: ${whole(requests)} requests, ${whole(errors)} failed, at most ${duration(slowest)} at the median of an hour`;
  return (
    <svg width={WIDTH} height={HEIGHT} role="img" aria-label={said}>
      <title>{said}</title>
      {bars.map(({ x, width, height }) => (
        <rect
          key={x}
          x={x}
          y={HEIGHT - height}
          width={width}
          height={height}
          fill={palette.error.main}
          opacity="0.6"
        />
      ))}
      <path d={`M0 ${HEIGHT - 0.5}H${WIDTH}`} stroke={palette.divider} />
      <path
        d={line}
        fill="none"
        stroke={palette.primary.main}
        strokeWidth="1.5"
        strokeLinecap="round"
      />
    </svg>
  );
}
