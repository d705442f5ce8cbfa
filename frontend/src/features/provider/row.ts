/** A provider as the list has it. */
import type { CredentialRowFragment, ProvidersQuery } from "../../gql/provider";

export type ProviderRow = ProvidersQuery["providers"]["nodes"][number];

const NONE: CredentialRowFragment[] = [];

/** Its keys; none for those who may not see them. */
export function keysOf(provider: ProviderRow): CredentialRowFragment[] {
  return provider.credentials?.nodes ?? NONE;
}
