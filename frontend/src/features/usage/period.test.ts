import { expect, test } from "vitest";
import { addressOf, FIRST, intervalOf, ofAddress, sinceOf, spanOf, variablesOf } from "./period";

const RANGE = { ...FIRST, period: "RANGE", from: "2026-03-01", to: "2026-03-02" } as const;

test("a range holds both of its days whole, in the viewer's zone", () => {
  const span = spanOf(RANGE);
  expect(span?.from).toBe(new Date("2026-03-01T00:00").toISOString());
  expect(span?.to).toBe(new Date("2026-03-03T00:00").toISOString());
});

test("asks for nothing while the range is not whole, or ends before it begins", () => {
  expect(variablesOf({ ...RANGE, to: "" })).toBeNull();
  expect(variablesOf({ ...RANGE, to: "2026-02-01" })).toBeNull();
});

test("short spans go by the hour", () => {
  expect(intervalOf(RANGE)).toBe("HOUR");
  expect(intervalOf({ ...RANGE, to: "2026-04-01" })).toBe("DAY");
  expect(intervalOf(FIRST)).toBe("DAY");
});

test("a period begins at midnight so many days ago, today included", () => {
  const since = sinceOf(FIRST, new Date("2026-03-10T15:00"));
  expect(since).toBe(new Date("2026-03-04T00:00").toISOString());
});

test("what is asked survives in the address, and nonsense in it is ignored", () => {
  const asked = { ...RANGE, keys: "own" };
  expect(ofAddress(new URLSearchParams(addressOf(asked)))).toEqual(asked);
  expect(addressOf(FIRST)).toEqual({});
  expect(ofAddress(new URLSearchParams({ period: "DAYS_1" }))).toEqual(FIRST);
});
