/** When an own key is used, in words. */
import type { KeyPolicy } from "../../gql/byok";

export interface Policy {
  policy: KeyPolicy;
  label: string;
  summary: string;
  detail: string;
}

export const POLICIES: readonly Policy[] = [
  {
    policy: "ONLY_MINE",
    label: "Only mine",
    summary: "Your key, or an error.",
    detail:
      "Requests to this provider never spend anyone else's money. When your key is refused or at its limit, the request fails and says so.",
  },
  {
    policy: "MINE_THEN_SYSTEM",
    label: "Mine, then the system's",
    summary: "Your key first; another's when yours is at its limit.",
    detail:
      "Only a rate limit (429) before the answer begins goes on with the organisation's or the installation's key, which is then charged. A key that is refused is still an error.",
  },
  {
    policy: "SYSTEM_THEN_MINE",
    label: "The system's, then mine",
    summary: "Another's key first; yours when that one cannot.",
    detail:
      "The organisation's or the installation's key serves. Yours steps in when it is at its limit, refused, or there is none.",
  },
];

export const POLICY_OPTIONS = POLICIES.map(({ policy, label }) => [policy, label] as const);

export function policyOf(policy: KeyPolicy | null): Policy | undefined {
  return POLICIES.find((each) => each.policy === policy);
}
