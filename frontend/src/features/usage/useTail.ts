/** Requests as they settle, newest first, while somebody follows. */
import { useEffect, useState } from "react";
import { useSubscription } from "urql";
import {
  type RecordRowFragment,
  UsageEventsDocument,
  type UsageFilter,
  type UsageEventsSubscription,
} from "../../gql/usage";

const KEPT = 25;
const QUIET_MS = 2_000;

interface Tail {
  records: readonly RecordRowFragment[];
  /** How often something was left out. */
  gaps: number;
}

const NOTHING: Tail = { records: [], gaps: 0 };

/** Begins anew with another filter. */
export function useTail(following: boolean, filter: UsageFilter) {
  const [{ data = NOTHING, error }] = useSubscription(
    { query: UsageEventsDocument, variables: { filter }, pause: !following },
    extended,
  );
  return { ...data, error, moment: useSettled(data.records) };
}

function extended(tail: Tail | undefined, { usageEvents: event }: UsageEventsSubscription): Tail {
  const { records, gaps } = tail ?? NOTHING;
  if (event.__typename === "UsageGap") return { records, gaps: gaps + 1 };
  const others = records.filter(({ id }) => id !== event.record.id);
  return { records: [event.record, ...others].slice(0, KEPT), gaps };
}

/** Counts how often something has come in, at most once every two seconds. */
function useSettled(records: readonly RecordRowFragment[]): number {
  const [moment, setMoment] = useState(0);
  useEffect(() => {
    if (records.length === 0) return;
    const timer = setTimeout(() => setMoment((count) => count + 1), QUIET_MS);
    return () => clearTimeout(timer);
  }, [records]);
  return moment;
}
