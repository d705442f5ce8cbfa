/** Dollars as decimal strings: rounded for the eye without ever passing through a binary fraction. */

const AMOUNT = /^(-?)(\d+)(?:\.(\d+))?$/;

/** A rounding that keeps what matters: cents from a dollar on, else three significant digits. */
export function dollars(amount: string): string {
  const found = AMOUNT.exec(amount);
  if (!found) return amount;
  const [, sign = "", whole = "0", fraction = ""] = found;
  const places = BigInt(whole) > 0n ? 2 : significant(fraction);
  const [digits, decimals] = rounded(whole, fraction, places);
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, ",");
  return `${sign}$${grouped}.${decimals}`;
}

/** Prices per 1M tokens: two decimals at least, and every digit there is. */
export function price(amount: string): string {
  const [whole = "0", fraction = ""] = amount.split(".");
  return `$${whole}.${fraction.replace(/0+$/, "").padEnd(2, "0")}`;
}

/** What somebody typed as a price per 1M tokens, for the server; null when it is none. */
export function parsePrice(typed: string): string | null {
  const text = typed
    .trim()
    .replace(/^\$\s*/, "")
    .replace(",", ".");
  return /^\d{1,9}(\.\d{1,6})?$/.test(text) ? text : null;
}

/** What somebody typed as an amount, which may be below 0; null when it is none. */
export function parseAmount(typed: string): string | null {
  const text = typed
    .trim()
    .replace("−", "-")
    .replace(/^(-?)\$\s*/, "$1")
    .replace(",", ".");
  return /^-?\d{1,9}(\.\d{1,9})?$/.test(text) ? text : null;
}

/** Blended 3:1, as power levels use it; a number, because it is only ever shown or compared. */
export function blended(input: string, output: string): number {
  return (3 * Number(input) + Number(output)) / 4;
}

function significant(fraction: string): number {
  const zeros = /^0*/.exec(fraction)?.[0].length ?? 0;
  return zeros === fraction.length ? 2 : Math.max(2, Math.min(9, zeros + 3));
}

function rounded(whole: string, fraction: string, places: number): [string, string] {
  const padded = fraction.padEnd(places + 1, "0");
  const kept = BigInt(whole + padded.slice(0, places));
  const up = padded.charAt(places) >= "5" ? 1n : 0n;
  const digits = String(kept + up).padStart(places + 1, "0");
  const decimals = digits.slice(-places);
  return [digits.slice(0, -places), decimals.replace(/0+$/, "").padEnd(2, "0")];
}
