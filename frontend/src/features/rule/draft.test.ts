import { expect, test } from "vitest";
import { decidable, type Draft, isChanged, ruleInput } from "./draft";

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
  regions: null,
  contentFilterFallback: false,
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

test("regions and content filters that were decided are not lost by another change", () => {
  const kept = { ...PUBLISHED, regions: ["eu"], contentFilterFallback: true, maxAttempts: 2 };
  expect(
    ruleInput(kept, { ...kept, maxAttempts: 3 }, ["REGIONS", "CONTENT_FILTER_FALLBACK"]),
  ).toEqual({ aliases: [], regions: ["eu"], contentFilterFallback: true, maxAttempts: 2 });
});

test("people decide less than organisations, and those less than the installation", () => {
  expect(decidable("USER", "fallbacks")).toBe(false);
  expect(decidable("USER", "strategy")).toBe(true);
  expect(decidable("ORGANIZATION", "ecoBelow")).toBe(false);
  expect(decidable("ORGANIZATION", "fallbacks")).toBe(true);
  expect(decidable("GLOBAL", "ecoBelow")).toBe(true);
});
