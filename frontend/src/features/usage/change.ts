/** How a figure moved against the span before. */

export interface Change {
  /** As in "+12 %"; "new" where there was nothing before. */
  text: string;
  direction: "up" | "down" | "same";
}

/** Beyond it the span before had hardly anything. */
const MOST = 999;

/** Null where neither span has the figure. */
export function changeOf(
  now: number | string | null | undefined,
  before: number | string | null | undefined,
): Change | null {
  if (now == null || before == null) return null;
  const [is, was] = [Number(now), Number(before)];
  if (was === 0) return is === 0 ? null : { text: "new", direction: "up" };
  const percent = Math.round(((is - was) / was) * 100);
  if (percent > MOST) return { text: `over +${MOST} %`, direction: "up" };
  if (percent === 0) return { text: "±0 %", direction: "same" };
  const direction = percent > 0 ? "up" : "down";
  return { text: `${percent > 0 ? "+" : "−"}${Math.abs(percent).toLocaleString()} %`, direction };
}
