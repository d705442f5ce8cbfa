import { expect, test } from "vitest";
import { trendOf } from "./hours";

const hour = (requests: number, errors: number, latencyP50Ms: number | null) => ({
  requests,
  errors,
  latencyP50Ms,
});

test("the line breaks where nobody was answered, and an hour alone is seen", () => {
  const { line } = trendOf([hour(1, 0, 100), hour(0, 0, null), hour(1, 0, 50)], 30, 22);
  expect(line).toBe("M0.0 1.0H5.0M20.0 11.0H25.0");
});

test("hours that follow each other are joined", () => {
  expect(trendOf([hour(1, 0, 100), hour(1, 0, 50)], 20, 22).line).toBe("M0.0 1.0H5.0L15.0 11.0");
});

test("an hour's bar is as high as the share that failed", () => {
  const { bars, requests, errors } = trendOf([hour(4, 2, 10), hour(4, 0, 10)], 20, 20);
  expect(bars).toEqual([{ x: 0, width: 10, height: 10 }]);
  expect([requests, errors]).toEqual([8, 2]);
});

test("nothing is drawn of nothing", () => {
  expect(trendOf([], 10, 10)).toEqual({ line: "", bars: [], slowest: 0, requests: 0, errors: 0 });
});
