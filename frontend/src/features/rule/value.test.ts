import { expect, test } from "vitest";
import { valueText } from "./value";

test("weights are told in percent", () => {
  expect(valueText({ cost: 7000, latency: 2000, quality: 1000 })).toBe(
    "Cost: 70 %\nLatency: 20 %\nQuality: 10 %",
  );
});

test("an alias is told with its lists", () => {
  expect(valueText({ targets: ["a/b", "c/d"], fallbacks: [], strategy: null })).toBe(
    "Targets: a/b, c/d\nFallbacks: none\nStrategy: –",
  );
});

test("nothing is a dash, and no is not nothing", () => {
  expect(valueText(null)).toBe("–");
  expect(valueText(false)).toBe("no");
});
