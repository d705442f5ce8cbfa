/** The health of providers as it changes. */
import { useSubscription } from "urql";
import {
  type HealthFieldsFragment,
  ProviderHealthDocument,
  type ProviderHealthSubscription,
} from "../../gql/provider";

type Healths = Readonly<Record<string, HealthFieldsFragment>>;

/** By provider id; what has not been told yet is absent. */
export function useLiveHealth(): Healths {
  const [{ data = NOTHING }] = useSubscription({ query: ProviderHealthDocument }, extended);
  return data;
}

const NOTHING: Healths = {};

function extended(known: Healths | undefined, { providerHealth }: ProviderHealthSubscription) {
  const { provider, health } = providerHealth;
  return provider ? { ...known, [provider.id]: health } : (known ?? NOTHING);
}
