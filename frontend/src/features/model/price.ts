/** A price as somebody types it, and as the server takes it. */
import { parsePrice } from "../../common/money";
import { Refused } from "../../common/useAct";
import type { PriceFieldsFragment, PriceInput } from "../../gql/model";

export const PARTS = [
  ["input", "Input"],
  ["output", "Output"],
  ["cachedInput", "Cached input"],
  ["cacheWrite", "Cache write"],
  ["cacheWrite1h", "Cache write, 1 h"],
  ["reasoning", "Reasoning"],
] as const;

export type Part = (typeof PARTS)[number][0];
export type Typed = Record<Part, string>;

export const NOTHING: Typed = {
  input: "",
  output: "",
  cachedInput: "",
  cacheWrite: "",
  cacheWrite1h: "",
  reasoning: "",
};

/** The figures of a price, ready to be changed. */
export function typedOf(price: PriceFieldsFragment | null): Typed {
  const parts = PARTS.map(([part]) => [part, price?.[part] ?? ""] as const);
  return Object.fromEntries(parts) as Typed;
}

/** Throws Refused that names the field which is no price. Parts left empty are left out. */
export function priceInput(typed: Typed): PriceInput {
  const parts = PARTS.map(([part]) => [part, read(part, typed[part])] as const);
  return Object.fromEntries(parts) as unknown as PriceInput;
}

function read(part: Part, text: string): string | null {
  if (text.trim() === "" && part !== "input" && part !== "output") return null;
  const amount = parsePrice(text);
  if (amount === null) {
    throw new Refused({
      message: "Dollars per 1M tokens, with at most 6 decimals: for example 2.50.",
      field: `price.${part}`,
    });
  }
  return amount;
}
