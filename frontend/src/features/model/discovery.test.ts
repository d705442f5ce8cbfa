import { expect, test } from "vitest";
import { appliedText, type Change, entryOf, piecesOf, priceText } from "./discovery";

const amounts = (input: string, output: string) => ({
  __typename: "DiscoveredPrice" as const,
  input,
  output,
  cachedInput: null,
  cacheWrite: null,
  cacheWrite1h: null,
});
const change = (changes: Partial<Change>): Change => ({
  __typename: "DiscoveredChange",
  kind: "NEW",
  name: "m",
  displayName: "M",
  contextLength: 1000,
  maxOutputTokens: null,
  inputModalities: ["TEXT"],
  outputModalities: ["TEXT"],
  capabilities: ["TOOLS"],
  price: null,
  heldPrice: null,
  ...changes,
});

test("a new model of unknown price stays without one, which is not free", () => {
  expect(priceText(change({}))).toBe("Unknown");
  expect(entryOf(change({})).price).toBeNull();
});

test("a re-priced model takes only the price", () => {
  const found = change({
    kind: "REPRICED",
    price: amounts("2", "8"),
    heldPrice: amounts("1", "4"),
  });
  expect(priceText(found)).toBe("$1.00 / $4.00 → $2.00 / $8.00");
  expect(entryOf(found)).toEqual({
    kind: "REPRICED",
    name: "m",
    price: { input: "2", output: "8", cachedInput: null, cacheWrite: null, cacheWrite1h: null },
  });
});

test("a gone model is only named", () => {
  expect(entryOf(change({ kind: "GONE" }))).toEqual({ kind: "GONE", name: "m" });
});

test("pieces keep every item in its order", () => {
  expect(piecesOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(piecesOf([], 2)).toEqual([]);
});

test("what was applied is told, and what keeps it from being chosen", () => {
  const priced = change({ price: amounts("2", "8") });
  expect(appliedText([priced])).toBe("1 change was applied.");
  expect(appliedText([priced, change({}), change({ kind: "GONE" })])).toBe(
    "3 changes were applied. 1 model has no price yet: “auto” does not choose it until it is set.",
  );
});
