import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import type { TotalFiguresFragment } from "../../gql/usage";
import { Cards } from "./Cards";

afterEach(cleanup);

const TOTALS: TotalFiguresFragment = {
  __typename: "UsageTotals",
  requests: 1200,
  errors: 12,
  errorRate: 0.01,
  inputTokens: 2_000_000,
  outputTokens: 500_000,
  cachedTokens: 200_000,
  cachedShare: 0.1,
  cost: "12.345678901",
  shadowCost: "2.5",
  unpricedRequests: 3,
  averageCost: "0.010288",
  latencyP50Ms: 800,
  latencyP95Ms: 2_500,
  latencyP99Ms: 4_000,
  firstTokenP50Ms: 300,
  firstTokenP95Ms: 900,
  firstTokenP99Ms: 1_500,
  uniqueUsers: 1,
};

test("shows each figure with how it moved against the span before", () => {
  const before = { ...TOTALS, cost: "10", latencyP50Ms: 1_600 };
  render(<Cards totals={TOTALS} previous={before} />);

  expect(screen.getByText("$12.35")).toBeTruthy();
  expect(screen.getByText("+23 %").parentElement?.title).toBe("$10.00 in the span before");
  expect(screen.getByText("−50 %")).toBeTruthy();
  expect(screen.getByText("$2.50 of it by own keys, without 3 of unknown price")).toBeTruthy();
  expect(screen.getByText("by 1 user")).toBeTruthy();
  expect(screen.getByText("2M in (10 % cached), 500K out")).toBeTruthy();
});

test("has its labels while the figures are still to come", () => {
  render(<Cards totals={undefined} previous={undefined} />);

  expect(screen.getByText("Latency p50")).toBeTruthy();
  expect(screen.queryByText(/on before/)).toBeNull();
});
