import { expect, test } from "vitest";
import { blended, dollars, parseAmount, parsePrice, price } from "./money";

test.each([
  ["0", "$0.00"],
  ["0.000080", "$0.00008"],
  ["0.000123456", "$0.000123"],
  ["0.000000001", "$0.000000001"],
  ["0.1", "$0.10"],
  ["0.9999", "$1.00"],
  ["1.005", "$1.01"],
  ["12.994999999", "$12.99"],
  ["1234567.891", "$1,234,567.89"],
  ["-3.5", "-$3.50"],
])("shows %s as %s", (amount, shown) => {
  expect(dollars(amount)).toBe(shown);
});

test("keeps every digit of a price", () => {
  expect(price("0.0375")).toBe("$0.0375");
  expect(price("15")).toBe("$15.00");
  expect(price("2.500000")).toBe("$2.50");
});

test("rounds beyond what a binary fraction can hold", () => {
  expect(dollars("9007199254740993.125")).toBe("$9,007,199,254,740,993.13");
});

test.each([
  ["2.50", "2.50"],
  [" $0.075 ", "0.075"],
  ["1,25", "1.25"],
  ["1.1234567", null],
  ["-1", null],
  ["1e3", null],
  ["", null],
])("reads a typed price %j as %j", (typed, read) => {
  expect(parsePrice(typed)).toBe(read);
});

test("blends three parts input with one part output", () => {
  expect(blended("1", "5")).toBe(2);
});

test("takes an amount as it is typed, above and below nothing", () => {
  expect(["12.50", "$ 3", "-4,5", "−1"].map(parseAmount)).toEqual(["12.50", "3", "-4.5", "-1"]);
  expect(["", "1.0000000001", "ten", "--1"].map(parseAmount)).toEqual([null, null, null, null]);
});
