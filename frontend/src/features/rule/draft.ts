/** A rule set while it is edited, and what of it is sent. */
import type {
  RoutingField,
  RoutingRulesQuery,
  RoutingRulesInput,
  RuleAliasesQuery,
  RuleScope,
  Strategy,
} from "../../gql/rule";

export type Alias = RuleAliasesQuery["routingRules"]["settings"]["aliases"][number];
export type Draft = RoutingRulesQuery["routingRules"]["settings"] & { aliases: readonly Alias[] };

const PLAIN = [
  ["STRATEGY", "strategy"],
  ["FALLBACKS", "fallbacks"],
  ["DEFAULT_LEVEL", "defaultLevel"],
  ["ECO_BELOW", "ecoBelow"],
  ["PRECISION_FROM", "precisionFrom"],
  ["MAX_ATTEMPTS", "maxAttempts"],
  ["PRIORITY_TIERS", "priorityTiers"],
  ["REGIONS", "regions"],
  ["CONTENT_FILTER_FALLBACK", "contentFilterFallback"],
] as const;

type Settable = (typeof PLAIN)[number][1] | "aliases";

const OF_PEOPLE: readonly Settable[] = ["strategy", "maxAttempts", "regions"];
const OF_THE_INSTALLATION: readonly Settable[] = ["ecoBelow", "precisionFrom"];

/** What rules of a scope may decide. */
export function decidable(scope: RuleScope, name: Settable): boolean {
  if (scope === "USER") return OF_PEOPLE.includes(name);
  return scope === "GLOBAL" || !OF_THE_INSTALLATION.includes(name);
}

export const STRATEGIES: readonly (readonly [Strategy, string, string])[] = [
  ["BALANCED", "Balanced", "40 % cost, 40 % latency, 20 % quality"],
  ["COST", "Cost", "the cheapest for each request"],
  ["LATENCY", "Latency", "the fastest expected"],
  ["CUSTOM", "Custom", "your own weights"],
];

export function isChanged(draft: Draft, published: Draft): boolean {
  return JSON.stringify(draft) !== JSON.stringify(published);
}

/** What was decided before or is changed now; everything else keeps its default. */
export function ruleInput(
  draft: Draft,
  published: Draft,
  decides: readonly RoutingField[],
): RoutingRulesInput {
  const same = (name: keyof Draft) =>
    JSON.stringify(draft[name]) === JSON.stringify(published[name]);
  const kept = PLAIN.filter(([field, name]) => decides.includes(field) || !same(name));
  const aliases = draft.aliases.map(({ name, targets, fallbacks, strategy }) => {
    return { name, targets, fallbacks, strategy };
  });
  const { cost, latency, quality } = draft.weights;
  return {
    ...Object.fromEntries(kept.map(([, name]) => [name, draft[name]])),
    ...(draft.strategy === "CUSTOM" ? { weights: { cost, latency, quality } } : {}),
    aliases,
  };
}
