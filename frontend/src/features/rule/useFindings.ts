/** What is wrong with rules, or worth a second look, while they are written. */
import { useMemo } from "react";
import { useQuery } from "urql";
import { useDebounced } from "../../common/useDebounced";
import {
  type RoutingRulesInput,
  type RuleScope,
  ValidateRulesDocument,
  type ValidateRulesQuery,
} from "../../gql/rule";

export type Validation = ValidateRulesQuery["validateRoutingRules"];

/** Undefined until asked. `rules` null: nothing is asked. */
export function useFindings(scope: RuleScope, rules: RoutingRulesInput | null) {
  const settled = useDebounced(JSON.stringify(rules), 400);
  const variables = useMemo(
    () => ({ input: { scope, rules: JSON.parse(settled) as RoutingRulesInput | null } }),
    [scope, settled],
  );
  const [{ data }] = useQuery({
    query: ValidateRulesDocument,
    variables,
    pause: settled === "null",
    requestPolicy: "network-only",
  });
  return settled === "null" ? undefined : data?.validateRoutingRules;
}
