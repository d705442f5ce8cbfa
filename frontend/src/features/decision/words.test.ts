import { expect, test } from "vitest";
import { type Decision, flip, reason, rulesText, strategyText, verdict } from "./words";

const FLIP = { __typename: "FlipCondition", winner: "a/b" } as const;
const EXCLUSION = { __typename: "RouteExclusion", detail: null } as const;

test("says which weight would turn a decision", () => {
  const found = { ...FLIP, lever: "COST_WEIGHT", isRising: false, threshold: 3100, subject: null };
  expect(flip(found as Parameters<typeof flip>[0])).toBe(
    "a/b wins if the cost weight is 31.0 % or less",
  );
});

test("says which price would turn a decision", () => {
  const found = { ...FLIP, lever: "PRICE", isRising: true, threshold: 1.25, subject: "c/d" };
  expect(flip(found as Parameters<typeof flip>[0])).toBe(
    "a/b wins if c/d costs 125.0 % of its price or more",
  );
});

test("does not repeat the winner's name", () => {
  const found = { ...FLIP, lever: "LATENCY", isRising: false, threshold: 0.655, subject: "a/b" };
  expect(flip(found as Parameters<typeof flip>[0])).toBe("a/b wins if it takes 655 ms or less");
});

test("gives an exclusion's figures where it has them", () => {
  const window = { ...EXCLUSION, code: "CONTEXT_WINDOW", needed: 9000, available: 8192 } as const;
  expect(reason(window)).toBe("Context too small: 9,000 needed, 8,192 there");
  const lacking = {
    code: "CAPABILITY",
    needed: null,
    available: null,
    detail: "JSON_SCHEMA",
  } as const;
  expect(reason({ ...EXCLUSION, ...lacking })).toBe("Lacks a capability (JSON schema)");
});

test("names the winner, the runner-up and the margin in the strategy's unit", () => {
  const decision = {
    strategy: "COST",
    margin: 0.00025,
    decisiveTerm: "COST",
    winner: { reference: "a/b" },
    runnerUp: { reference: "c/d" },
    refusal: null,
  } as unknown as Decision;
  expect(verdict(decision)).toBe("a/b serves it. Decisive: its cost, $0.00025 ahead of c/d.");
});

test("a price that decides is told as the price of a token, which dollars of a request are not", () => {
  const decision = {
    strategy: "BALANCED",
    margin: 0.02,
    decisiveTerm: "PRICE",
    winner: { reference: "a/b" },
    runnerUp: { reference: "c/d" },
  } as unknown as Decision;
  expect(verdict(decision)).toContain("Decisive: its price per token");
});

test("says in the server's words that nobody may serve", () => {
  const decision = { winner: null, refusal: "No model may serve `auto`." } as unknown as Decision;
  expect(verdict(decision)).toBe("No model may serve `auto`.");
});

test("weights are told only where they decide", () => {
  const weights = { cost: 4000, latency: 4000, quality: 2000 };
  const told = (strategy: string) => strategyText({ strategy, weights } as unknown as Decision);
  expect(told("BALANCED")).toBe("Balanced: 40 % cost, 40 % latency, 20 % quality");
  expect(told("COST")).toBe("Cost: the least expected cost first");
});

test("rules that are only proposed are told from those in force", () => {
  const told = (...versions: number[]) =>
    rulesText({
      ruleVersions: versions.map((version) => ({
        __typename: "RuleVersionUsed" as never,
        scope: "GLOBAL",
        version,
      })),
    });
  expect(told(3)).toBe("Global rules v3");
  expect(told(0)).toBe("Global rules, not in force");
  expect(told()).toBe("Default rules");
});
