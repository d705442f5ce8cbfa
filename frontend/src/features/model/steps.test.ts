import { expect, test } from "vitest";
import { stepsOf } from "./steps";

const price = (validFrom: string, input: string, output: string) => ({ validFrom, input, output });

test("a price holds until the next one begins, and the last one until now", () => {
  const prices = [price("1970-01-01T00:00:05Z", "1", "2"), price("1970-01-01T00:00:00Z", "2", "4")];
  const { paths, most, since } = stepsOf(prices, 10_000, 100, 40);

  expect(most).toBe(4);
  expect(since).toBe(0);
  expect(paths.input).toBe("M0.0 20.0 H50.0 V30.0 H100");
  expect(paths.output).toBe("M0.0 0.0 H50.0 V20.0 H100");
});

test("one free price is a line at the foot", () => {
  const { paths } = stepsOf([price("1970-01-01T00:00:00Z", "0", "0")], 1_000, 100, 40);
  expect(paths.input).toBe("M0.0 40.0 H100");
});
