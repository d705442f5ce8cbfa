/** The rules of a scope and their draft, with all their aliases, which come in pages of one version. */
import { useCallback, useEffect, useState } from "react";
import { type Client, type CombinedError, useClient } from "urql";
import { messageOf } from "../../common/client";
import {
  DraftAliasesDocument,
  RoutingRulesDocument,
  type RoutingRulesQuery,
  RuleAliasesDocument,
  RuleOriginsDocument,
  type RuleScope,
} from "../../gql/rule";
import type { Alias, Draft } from "./draft";

type Found = RoutingRulesQuery["routingRules"];
export type Stored = Omit<NonNullable<Found["draft"]>, "settings"> & { settings: Draft };
export type Rules = Omit<Found, "settings" | "draft"> & {
  settings: Draft;
  draft: Stored | null;
};

const PAGE = 15;
const FRESH = { requestPolicy: "network-only" } as const;

export function useRules(scope: RuleScope) {
  const client = useClient();
  const [rules, setRules] = useState<Rules | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const refresh = useCallback(() => {
    load(client, scope).then(
      (found) => {
        setRules(found);
        setProblem(null);
      },
      (error: CombinedError) => setProblem(messageOf(error)),
    );
  }, [client, scope]);
  useEffect(refresh, [refresh]);
  return { rules, problem, refresh };
}

/** Throws CombinedError. Begins anew when somebody publishes or saves in between. */
async function load(client: Client, scope: RuleScope): Promise<Rules> {
  const { data, error } = await client.query(RoutingRulesDocument, { scope }, FRESH).toPromise();
  if (!data) throw error;
  const { draft, ...rules } = data.routingRules;
  const aliases = await paged(async (after) => {
    const found = await client.query(RuleAliasesDocument, { scope, after }, FRESH).toPromise();
    if (!found.data) throw found.error;
    const { version, settings } = found.data.routingRules;
    return version === rules.version ? settings.aliases : null;
  });
  const drafted = draft && (await draftAliases(client, scope, draft.revision));
  const own = await ownAliases(client, scope, rules.version);
  if (!aliases || !own || (draft && !drafted)) return load(client, scope);
  const inherited = aliases.filter(({ name }) => !own(name)).map((each) => JSON.stringify(each));
  const isOwn = (alias: Alias) => !inherited.includes(JSON.stringify(alias));
  const settings = { ...rules.settings, aliases: aliases.filter(isOwn) };
  if (!draft || !drafted) return { ...rules, settings, draft: null };
  const kept = { ...draft.settings, aliases: drafted.filter(isOwn) };
  return { ...rules, settings, draft: { ...draft, settings: kept } };
}

/** Tells whether an alias is decided here, and not by wider rules; null when they have changed. */
async function ownAliases(client: Client, scope: RuleScope, version: number) {
  if (scope === "GLOBAL") return () => true;
  const { data, error } = await client.query(RuleOriginsDocument, { scope }, FRESH).toPromise();
  if (!data) throw error;
  if (data.routingRules.version !== version) return null;
  const names = data.routingRules.origins
    .filter((each) => each.field === "ALIASES" && each.scope === scope)
    .map(({ alias }) => alias);
  return (name: string) => names.includes(name);
}

function draftAliases(client: Client, scope: RuleScope, revision: number) {
  return paged(async (after) => {
    const found = await client.query(DraftAliasesDocument, { scope, after }, FRESH).toPromise();
    if (!found.data) throw found.error;
    const { draft } = found.data.routingRules;
    return draft?.revision === revision ? draft.settings.aliases : null;
  });
}

/** Null when a page is no longer of what was asked for. */
async function paged(
  ask: (after: string | null) => Promise<readonly Alias[] | null>,
): Promise<Alias[] | null> {
  const found: Alias[] = [];
  for (;;) {
    // Each page begins where the last one ended.
    // oxlint-disable-next-line no-await-in-loop
    const page = await ask(found.at(-1)?.name ?? null);
    if (page === null) return null;
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}
