/** Hours of a provider as a small drawing. */

interface Hour {
  requests: number;
  errors: number;
  latencyP50Ms: number | null;
}

interface Bar {
  x: number;
  width: number;
  height: number;
}

/** Latency from nothing to the slowest hour; errors as their share of the hour's requests. */
export function trendOf(hours: readonly Hour[], width: number, height: number) {
  const step = hours.length > 0 ? width / hours.length : width;
  const slowest = Math.max(0, ...hours.map(({ latencyP50Ms }) => latencyP50Ms ?? 0));
  const y = (latency: number) => 1 + (height - 2) * (1 - latency / (slowest || 1));
  let isDrawing = false;
  const line = hours
    .map(({ latencyP50Ms }, index) => {
      if (latencyP50Ms === null) {
        isDrawing = false;
        return "";
      }
      const [x, height] = [((index + 0.5) * step).toFixed(1), y(latencyP50Ms).toFixed(1)];
      // From the hour's edge, so that one hour alone is seen too.
      const command = isDrawing
        ? `L${x} ${height}`
        : `M${(index * step).toFixed(1)} ${height}H${x}`;
      isDrawing = true;
      return command;
    })
    .join("");
  const bars = hours.flatMap(({ requests, errors }, index): Bar[] =>
    errors > 0
      ? [{ x: index * step, width: step, height: Math.max(2, height * (errors / requests)) }]
      : [],
  );
  const sum = (part: "requests" | "errors") => hours.reduce((total, each) => total + each[part], 0);
  return { line, bars, slowest, requests: sum("requests"), errors: sum("errors") };
}
