/** Numbers and times as people read them, in the viewer's own language and zone. */

const COMPACT = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });
const CLOCK = { hour: "numeric", minute: "2-digit" } as const;
const DAY = { month: "short", day: "numeric" } as const;
const THIS_YEAR = new Intl.DateTimeFormat(undefined, { ...DAY, ...CLOCK });
const ANY_YEAR = new Intl.DateTimeFormat(undefined, { ...DAY, year: "numeric", ...CLOCK });
const PRECISE = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

export const compact = (value: number | string) => COMPACT.format(Number(value));
export const whole = (value: number | string) => Number(value).toLocaleString();
export const whenPrecisely = (iso: string) => PRECISE.format(new Date(iso));

/** Day and time; the year only where it is another one. */
export function when(iso: string, now = new Date()): string {
  const date = new Date(iso);
  const isThisYear = date.getFullYear() === now.getFullYear();
  return (isThisYear ? THIS_YEAR : ANY_YEAR).format(date);
}

/** "5 minutes ago", and the date once that is more than a month. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  if (Math.abs(seconds) > 30 * 86_400) return when(iso);
  const step = STEPS.find(([, size]) => Math.abs(seconds) >= size);
  return step ? AGO.format(Math.round(seconds / step[1]), step[0]) : "just now";
}

/** Milliseconds with the unit that suits. */
export function duration(milliseconds: number | null | undefined): string {
  if (milliseconds == null) return "–";
  if (milliseconds < 1_000) return `${Math.round(milliseconds)} ms`;
  return `${(milliseconds / 1_000).toFixed(milliseconds < 10_000 ? 2 : 1)} s`;
}

export function percent(share: number | null | undefined, places = 1): string {
  return share == null ? "–" : `${(share * 100).toFixed(places)} %`;
}

/** SOME_NAME as "Some name"; what is spoken letter by letter stays in capitals. */
export function words(name: string): string {
  const text = name
    .toLowerCase()
    .replaceAll("_", " ")
    .replace(/\b(api|byok|json|pdf)\b/g, (found) => found.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The same within a sentence. */
export function wordsWithin(name: string): string {
  const text = words(name);
  return /^[A-Z]{2}/.test(text) ? text : text.charAt(0).toLowerCase() + text.slice(1);
}
