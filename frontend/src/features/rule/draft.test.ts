import { expect, test } from "vitest";
import { type Draft, isChanged, ruleInput } from "./draft";

const PUBLISHED: Draft = {
  __typename: "RoutingSettings",
  strategy: "BALANCED",
  weights: { __typename: "RoutingWeights", cost: 4000, latency: 4000, quality: 2000 },
  aliases: [],
  fallbacks: [],
  defaultLevel: "BALANCED",
  ecoBelow: "0.5",
  precisionFrom: "10",
  maxAttempts: 3,
  priorityTiers: false,
};

test("sends nothing that was neither decided nor changed", () => {
  expect(ruleInput(PUBLISHED, PUBLISHED, [])).toEqual({ aliases: [] });
});

test("sends what was decided before, though it is not changed", () => {
  const changed = { ...PUBLISHED, ecoBelow: "0.4" };
  expect(ruleInput(changed, PUBLISHED, ["MAX_ATTEMPTS"])).toEqual({
    aliases: [],
    maxAttempts: 3,
    ecoBelow: "0.4",
  });
});

test("sends weights with the custom strategy only", () => {
  const custom: Draft = { ...PUBLISHED, strategy: "CUSTOM" };
  expect(ruleInput(custom, PUBLISHED, [])).toEqual({
    aliases: [],
    strategy: "CUSTOM",
    weights: { cost: 4000, latency: 4000, quality: 2000 },
  });
});

test("an alias is sent without what only the answer carries", () => {
  const alias = {
    __typename: "RoutingAlias" as const,
    name: "fast",
    targets: ["a/b"],
    fallbacks: [],
    strategy: null,
  };
  const draft = { ...PUBLISHED, aliases: [alias] };
  expect(isChanged(draft, PUBLISHED)).toBe(true);
  expect(ruleInput(draft, PUBLISHED, []).aliases).toEqual([
    { name: "fast", targets: ["a/b"], fallbacks: [], strategy: null },
  ]);
});
