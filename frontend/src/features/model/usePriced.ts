/** Models with their price and level, page after page, as far as a drawing can show them. */
import { useEffect, useState } from "react";
import { type Client, useClient } from "urql";
import { type ModelFilter, PricedModelsDocument, type PricedModelsQuery } from "../../gql/model";

export type Priced = PricedModelsQuery["models"]["nodes"][number];

/** Ten pages of a hundred. */
export const MOST_DRAWN = 1_000;

interface Found {
  models: readonly Priced[] | null;
  isWhole: boolean;
}

export function usePriced(filter: ModelFilter, moment: number): Found {
  const client = useClient();
  const [found, setFound] = useState<Found>({ models: null, isWhole: true });
  const asked = JSON.stringify(filter);
  useEffect(() => {
    let wanted = true;
    void load(client, JSON.parse(asked) as ModelFilter).then((loaded) => {
      if (wanted) setFound(loaded);
    });
    return () => {
      wanted = false;
    };
  }, [client, asked, moment]);
  return found;
}

/** What cannot be read is left out: the list below says why. */
async function load(client: Client, filter: ModelFilter): Promise<Found> {
  const models: Priced[] = [];
  let after: string | null = null;
  while (models.length < MOST_DRAWN) {
    // Each page begins where the last one ended.
    // oxlint-disable-next-line no-await-in-loop
    const { data } = await client
      .query(PricedModelsDocument, { filter, after }, { requestPolicy: "network-only" })
      .toPromise();
    if (!data) return { models, isWhole: true };
    const page: PricedModelsQuery["models"] = data.models;
    models.push(...page.nodes);
    // Dearest first: once a price is unknown, so are all that follow.
    if (!page.pageInfo.hasNextPage || !page.nodes.at(-1)?.currentPrice) {
      return { models, isWhole: true };
    }
    after = page.pageInfo.endCursor ?? null;
  }
  return { models, isWhole: false };
}
