/** Spans of time that usage is summed over, and where their days begin. */
import type { UsagePeriod } from "../../gql/usage";

export const PERIODS: readonly (readonly [UsagePeriod, string])[] = [
  ["DAYS_7", "7 days"],
  ["DAYS_30", "30 days"],
  ["DAYS_90", "90 days"],
];

/** The viewer's zone: days on the charts begin at their own midnight. */
export const TIME_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
