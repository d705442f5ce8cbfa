import { expect, test } from "vitest";
import { ago, duration, percent, when, words, wordsWithin } from "./format";

const NOW = new Date("2026-11-26T12:00:00Z");

test("leaves the year out while it is this one", () => {
  expect(when("2026-03-04T10:00:00Z", NOW)).not.toContain("2026");
  expect(when("2025-03-04T10:00:00Z", NOW)).toContain("2025");
});

test("says how long ago with the unit that suits", () => {
  expect(ago("2026-11-26T11:55:00Z", NOW.getTime())).toBe("5 minutes ago");
  expect(ago("2026-11-26T11:59:50Z", NOW.getTime())).toBe("just now");
});

test("durations take the unit that suits, and nothing is a dash", () => {
  expect([999, 1_500, 12_345, null].map(duration)).toEqual(["999 ms", "1.50 s", "12.3 s", "–"]);
  expect(percent(0.1234)).toBe("12.3 %");
  expect(percent(null)).toBe("–");
});

test("enum names become words", () => {
  expect(words("ROLL_BACK")).toBe("Roll back");
  expect(words("API_KEY")).toBe("API key");
  expect(wordsWithin("API_KEY")).toBe("API key");
  expect(wordsWithin("MASTER_KEY")).toBe("master key");
});
