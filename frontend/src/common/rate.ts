/** Waits out the server's rate: what it refused with 429 was not done at all, so it is sent again. */
import { retryExchange } from "@urql/exchange-retry";
import { type CombinedError, makeOperation, type Operation } from "urql";

const MOST_SENT = 5;
const LONGEST_MS = 20_000;
/** The exchange waits between 1.5 and 2.5 times what it is told, so that not all come back at once. */
const LEAST_STRETCH = 1.5;

/** Milliseconds the server asks to wait; null where that is not the trouble, or too long to stand. */
export function waitOf({ response }: CombinedError): number | null {
  const { status, headers } = (response ?? {}) as Partial<Response>;
  if (status !== 429) return null;
  const wait = Number(headers?.get("retry-after") ?? 1) * 1_000;
  return wait > 0 && wait <= LONGEST_MS ? wait : null;
}

function again(error: CombinedError, operation: Operation): Operation | null {
  const wait = waitOf(error);
  if (wait === null) return null;
  const count: number = operation.context.retry?.count ?? 0;
  const retry = { count, delay: wait / LEAST_STRETCH };
  return makeOperation(operation.kind, operation, { ...operation.context, retry });
}

export const rateExchange = retryExchange({
  retryWith: again,
  maxNumberAttempts: MOST_SENT,
  maxDelayMs: 2 * LONGEST_MS,
});
