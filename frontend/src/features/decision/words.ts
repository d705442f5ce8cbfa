/** A routing decision in words. */
import { duration, percent, words } from "../../common/format";
import { dollars } from "../../common/money";
import type { DecisionFieldsFragment } from "../../gql/rule";

export type Decision = DecisionFieldsFragment;
export type Candidate = Decision["candidates"][number];
type Exclusion = Candidate["exclusions"][number];
type Flip = Decision["flipConditions"][number];

const REASONS: Record<Exclusion["code"], string> = {
  DISABLED: "Switched off",
  NOT_ALLOWED: "Not allowed for this key",
  NO_KEY: "No usable provider key",
  KEY_LIMITED: "Its keys are rate limited",
  CAPABILITY: "Lacks a capability",
  MODALITY: "Does not take this content",
  REGION: "Outside the allowed regions",
  CONTEXT_WINDOW: "Context too small",
  OUTPUT_LIMIT: "Answers too short",
  PRICE_UNKNOWN: "Price unknown",
  LEVEL: "Outside the power level",
  CIRCUIT_OPEN: "Failing, its circuit is open",
};

export const reasonCode = (code: Exclusion["code"]) => REASONS[code];

/** Why a candidate may not serve, with the figures that decide. */
export function reason({ code, needed, available, detail }: Exclusion): string {
  const said = REASONS[code];
  if (code === "CIRCUIT_OPEN" || code === "KEY_LIMITED") {
    return available === null ? said : `${said} until ${clock(available)}`;
  }
  if (needed !== null && available !== null) {
    return `${said}: ${needed.toLocaleString()} needed, ${available.toLocaleString()} there`;
  }
  return detail === null ? said : `${said} (${words(detail)})`;
}

/** By how much the winner won, in the unit its strategy compares by. */
export function margin({ strategy, margin: by }: Decision): string | null {
  if (by === null) return null;
  if (strategy === "COST") return dollars(by.toFixed(9));
  if (strategy === "LATENCY") return duration(by * 1_000);
  return `${by.toFixed(3)} points`;
}

const WEIGHTS = {
  COST_WEIGHT: "the cost weight",
  LATENCY_WEIGHT: "the latency weight",
  QUALITY_WEIGHT: "the quality weight",
} as const;

/** "a/b wins if the cost weight is 31 % or less". */
export function flip({ lever, isRising, threshold, subject, winner }: Flip): string {
  const who = subject === winner ? "it" : subject;
  const way = isRising ? "or more" : "or less";
  if (lever === "PRICE") {
    return `${winner} wins if ${who} costs ${percent(threshold)} of its price ${way}`;
  }
  if (lever === "LATENCY") {
    return `${winner} wins if ${who} takes ${duration(threshold * 1_000)} ${way}`;
  }
  return `${winner} wins if ${WEIGHTS[lever]} is ${percent(threshold / 10_000)} ${way}`;
}

const DECISIVE: Record<NonNullable<Decision["decisiveTerm"]>, string> = {
  COST: "its cost",
  PRICE: "its price per token",
  LATENCY: "its speed",
  QUALITY: "its quality",
  HEALTH: "its health",
  PRIORITY: "its provider's priority",
  IDENTITY: "a fixed order, because all else is equal",
  INCUMBENT: "having served such requests before",
  SESSION: "keeping the conversation on one model",
  FALLBACK: "the list of fallbacks",
  ONLY_ONE: "being the only one that may serve",
};

/** One sentence: who won, what put it first, by how much over whom. */
export function verdict(decision: Decision): string {
  const { winner, runnerUp, decisiveTerm, refusal } = decision;
  if (!winner) return refusal ?? "No model matches.";
  const by = decisiveTerm ? ` Decisive: ${DECISIVE[decisiveTerm]}` : "";
  const ahead = margin(decision);
  const over = runnerUp && ahead ? `, ${ahead} ahead of ${runnerUp.reference}` : "";
  return `${winner.reference} serves it.${by && `${by}${over}.`}`;
}

/** What decides, in what proportion. */
export function strategyText({ strategy, weights: { cost, latency, quality } }: Decision): string {
  if (strategy === "COST") return "Cost: the least expected cost first";
  if (strategy === "LATENCY") return "Latency: the fastest expected first";
  const share = (points: number) => percent(points / 10_000, 0);
  return `${words(strategy)}: ${share(cost)} cost, ${share(latency)} latency, ${share(quality)} quality`;
}

/** By which rules; a version 0 is not in force. */
export function rulesText({ ruleVersions }: Pick<Decision, "ruleVersions">): string {
  const versions = ruleVersions.map(({ scope, version }) =>
    version === 0 ? `${words(scope)} rules, not in force` : `${words(scope)} rules v${version}`,
  );
  return versions.join(", ") || "Default rules";
}

const clock = (seconds: number) => new Date(seconds * 1_000).toLocaleTimeString();
