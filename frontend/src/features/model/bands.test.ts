import { expect, test } from "vitest";
import { positionOf } from "./bands";

test("each tenfold price is as far from the last as the one before", () => {
  expect([0.01, 0.1, 1, 10, 100].map(positionOf)).toEqual([
    0,
    expect.closeTo(0.25),
    expect.closeTo(0.5),
    expect.closeTo(0.75),
    1,
  ]);
});

test("what is free or beyond the axis stays at its ends", () => {
  expect(positionOf(0)).toBe(0);
  expect(positionOf(600)).toBe(1);
});
