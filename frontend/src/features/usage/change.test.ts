import { expect, test } from "vitest";
import { changeOf } from "./change";

test("tells by how much a figure moved, and which way", () => {
  expect(changeOf("1.12", "1")).toEqual({ text: "+12 %", direction: "up" });
  expect(changeOf(50, 100)).toEqual({ text: "−50 %", direction: "down" });
  expect(changeOf(1000, 1001)).toEqual({ text: "±0 %", direction: "same" });
});

test("what was nothing before is new, and nothing twice is no change", () => {
  expect(changeOf(5, 0)).toEqual({ text: "new", direction: "up" });
  expect(changeOf(0, 0)).toBeNull();
  expect(changeOf(null, 3)).toBeNull();
});

test("does not count up against hardly anything", () => {
  expect(changeOf(5_000, 1)).toEqual({ text: "over +999 %", direction: "up" });
});
