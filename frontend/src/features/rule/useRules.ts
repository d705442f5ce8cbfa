/** The rules in force with all their aliases, which come in pages of one version. */
import { useCallback, useEffect, useState } from "react";
import { type Client, type CombinedError, useClient } from "urql";
import { messageOf } from "../../common/client";
import { RoutingRulesDocument, type RoutingRulesQuery, RuleAliasesDocument } from "../../gql/rule";
import type { Alias, Draft } from "./draft";

export type Rules = Omit<RoutingRulesQuery["routingRules"], "settings"> & { settings: Draft };

const PAGE = 15;
const FRESH = { requestPolicy: "network-only" } as const;

export function useRules() {
  const client = useClient();
  const [rules, setRules] = useState<Rules | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const refresh = useCallback(() => {
    load(client).then(
      (found) => {
        setRules(found);
        setProblem(null);
      },
      (error: CombinedError) => setProblem(messageOf(error)),
    );
  }, [client]);
  useEffect(refresh, [refresh]);
  return { rules, problem, refresh };
}

/** Throws CombinedError. Begins anew when somebody publishes in between. */
async function load(client: Client): Promise<Rules> {
  const { data, error } = await client.query(RoutingRulesDocument, {}, FRESH).toPromise();
  if (!data) throw error;
  const rules = data.routingRules;
  const aliases = await aliasesOf(client, rules.version);
  if (!aliases) return load(client);
  return { ...rules, settings: { ...rules.settings, aliases } };
}

/** Null when they are no longer those of `version`. */
async function aliasesOf(client: Client, version: number): Promise<Alias[] | null> {
  const found: Alias[] = [];
  for (;;) {
    const after = found.at(-1)?.name ?? null;
    // Each page begins where the last one ended.
    // oxlint-disable-next-line no-await-in-loop
    const { data, error } = await client.query(RuleAliasesDocument, { after }, FRESH).toPromise();
    if (!data) throw error;
    if (data.routingRules.version !== version) return null;
    const page = data.routingRules.settings.aliases;
    found.push(...page);
    if (page.length < PAGE) return found;
  }
}
