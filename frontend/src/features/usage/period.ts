/** What usage is summed over: a span of time, and what narrows it; kept in the page's address. */
import type { UsageFilter, UsageInterval, UsagePeriod } from "../../gql/usage";

export const PERIODS: readonly (readonly [UsagePeriod, string])[] = [
  ["DAYS_7", "7 days"],
  ["DAYS_30", "30 days"],
  ["DAYS_90", "90 days"],
];

/** The viewer's zone: days on the charts begin at their own midnight. */
export const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const DAY_MS = 86_400_000;
const HOURS_UP_TO = 3 * DAY_MS;

export interface Asked {
  /** "RANGE": from the day `from` to the day `to`, both included. */
  period: UsagePeriod | "RANGE";
  from: string;
  to: string;
  provider: string;
  apiKey: string;
  /** "own", "system" or "" for both. */
  keys: string;
}

export const FIRST: Asked = {
  period: "DAYS_7",
  from: "",
  to: "",
  provider: "",
  apiKey: "",
  keys: "",
};

export function filterOf({ provider, apiKey, keys }: Asked): UsageFilter {
  return {
    provider: provider || null,
    apiKey: apiKey || null,
    byok: keys === "" ? null : keys === "own",
  };
}

/** The days of a range at the viewer's midnights; null while one of them is missing or wrong. */
export function spanOf({ from, to }: Asked): { from: string; to: string } | null {
  if (!from || !to) return null;
  const start = new Date(`${from}T00:00`);
  const end = new Date(`${to}T00:00`);
  end.setDate(end.getDate() + 1);
  if (!(start < end)) return null;
  return { from: start.toISOString(), to: end.toISOString() };
}

/** Variables of `usage`; null while the range is not whole. */
export function variablesOf(asked: Asked) {
  const shared = { filter: filterOf(asked), timeZone: TIME_ZONE };
  if (asked.period !== "RANGE") return { ...shared, period: asked.period, from: null, to: null };
  const span = spanOf(asked);
  return span && { ...shared, period: null, ...span };
}

/** Hours where the span is short, else days. */
export function intervalOf(asked: Asked): UsageInterval {
  const span = asked.period === "RANGE" ? spanOf(asked) : null;
  if (!span) return "DAY";
  return new Date(span.to).getTime() - new Date(span.from).getTime() <= HOURS_UP_TO
    ? "HOUR"
    : "DAY";
}

/** The first moment of the span, for lists of single requests. */
export function sinceOf(asked: Asked, now = new Date()): string | null {
  if (asked.period === "RANGE") return spanOf(asked)?.from ?? null;
  const start = new Date(now);
  start.setHours(0, 0, 0, 0);
  start.setDate(start.getDate() + 1 - Number(asked.period.replace("DAYS_", "")));
  return start.toISOString();
}

export function untilOf(asked: Asked): string | null {
  return asked.period === "RANGE" ? (spanOf(asked)?.to ?? null) : null;
}

export function ofAddress(parameters: URLSearchParams): Asked {
  const read = (name: keyof Asked) => parameters.get(name) ?? FIRST[name];
  const period = [...PERIODS.map(([each]) => each), "RANGE" as const].find(
    (each) => each === read("period"),
  );
  return {
    period: period ?? FIRST.period,
    from: read("from"),
    to: read("to"),
    provider: read("provider"),
    apiKey: read("apiKey"),
    keys: read("keys"),
  };
}

/** Only what is not as at first. */
export function addressOf(asked: Asked): Record<string, string> {
  const told = Object.entries(asked).filter(
    ([name, value]) => value !== FIRST[name as keyof Asked],
  );
  return Object.fromEntries(told) as Record<string, string>;
}
