import { expect, test } from "vitest";
import { NOTHING, priceInput, typedOf } from "./price";

test("leaves out the parts that were left empty", () => {
  expect(priceInput({ ...NOTHING, input: "1.10", output: "4,40" })).toEqual({
    input: "1.10",
    output: "4.40",
    cachedInput: null,
    cacheWrite: null,
    cacheWrite1h: null,
    reasoning: null,
  });
});

test.each(["input", "output", "cachedInput"] as const)("names %s when it is no price", (part) => {
  const typed = { ...NOTHING, input: "1", output: "2", [part]: "free" };
  expect(() => priceInput(typed)).toThrow(expect.objectContaining({ field: `price.${part}` }));
});

test("needs a price of the input", () => {
  expect(() => priceInput({ ...NOTHING, output: "2" })).toThrow(
    expect.objectContaining({ field: "price.input" }),
  );
});

test("takes the figures of a price as they are", () => {
  const price = {
    __typename: "Price" as const,
    id: "1",
    validFrom: "2026-01-01T00:00:00Z",
    input: "0.075",
    output: "0.3",
    cachedInput: null,
    cacheWrite: null,
    cacheWrite1h: null,
    reasoning: null,
    source: "ADMIN",
  };
  expect(typedOf(price)).toEqual({ ...NOTHING, input: "0.075", output: "0.3" });
});
