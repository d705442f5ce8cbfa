import { expect, test } from "vitest";
import { DIMENSIONS, rebalanced, WHOLE, type Weights } from "./weights";

const BALANCED: Weights = { cost: 4000, latency: 4000, quality: 2000 };

test("the others share what is left in their proportion", () => {
  expect(rebalanced(BALANCED, "cost", 7000)).toEqual({ cost: 7000, latency: 2000, quality: 1000 });
});

test("the others share evenly when both were nothing", () => {
  const all = { cost: 10_000, latency: 0, quality: 0 };
  expect(rebalanced(all, "cost", 5000)).toEqual({ cost: 5000, latency: 2500, quality: 2500 });
});

test("takes no more than everything and no less than nothing", () => {
  expect(rebalanced(BALANCED, "quality", 20_000)).toEqual({ cost: 0, latency: 0, quality: 10_000 });
  expect(rebalanced(BALANCED, "quality", -5).quality).toBe(0);
});

test("sums to the whole whatever is moved, and never goes below nothing", () => {
  let weights = BALANCED;
  for (let step = 0; step < 500; step += 1) {
    const moved = DIMENSIONS[step % 3] ?? "cost";
    weights = rebalanced(weights, moved, (step * 3_733) % (WHOLE + 1));
    const values = DIMENSIONS.map((each) => weights[each]);
    expect(values.reduce((sum, each) => sum + each)).toBe(WHOLE);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
  }
});
