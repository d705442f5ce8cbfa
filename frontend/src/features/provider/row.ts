/** A provider as the list has it. */
import type { CredentialRowFragment, ProvidersQuery } from "../../gql/provider";

export type ProviderRow = ProvidersQuery["providers"]["nodes"][number];

const NONE: CredentialRowFragment[] = [];

/** How many keys it has, as in "5+" where the list does not hold them all. */
export function keyCountOf(provider: ProviderRow): string {
  return `${keysOf(provider).length}${provider.credentials?.pageInfo.hasNextPage ? "+" : ""}`;
}

/** The first of its keys; none for those who may not see them. */
export function keysOf(provider: ProviderRow): CredentialRowFragment[] {
  return provider.credentials?.nodes ?? NONE;
}
