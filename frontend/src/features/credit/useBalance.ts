/** Hears of a wallet whenever it is another, and calls back where that is not what is shown. */
import { useEffect, useRef } from "react";
import { useSubscription } from "urql";
import { BalanceDocument, type BalanceSubscription } from "../../gql/credit";

type State = BalanceSubscription["balance"];

const FIELDS = ["balance", "held", "creditLimit", "debt", "frozen"] as const;

/** `owner` is the id of the wallet or of its owner. */
export function useBalance(
  owner: string,
  shown: Pick<State, (typeof FIELDS)[number]> | null | undefined,
  refresh: () => void,
) {
  const [{ data }] = useSubscription({ query: BalanceDocument, variables: { wallet: owner } });
  const latest = useRef({ shown, refresh });
  useEffect(() => {
    latest.current = { shown, refresh };
  });
  const told = data?.balance;
  useEffect(() => {
    const { shown: known, refresh: ask } = latest.current;
    if (told && known && FIELDS.some((field) => told[field] !== known[field])) ask();
  }, [told]);
}
