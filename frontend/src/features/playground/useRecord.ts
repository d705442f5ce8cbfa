/** A request's record, as soon as it has been settled. */
import { useEffect, useState } from "react";
import { useClient } from "urql";
import { RequestDocument, type RequestQuery } from "../../gql/request";
import { recordId } from "../request/recordId";

export type RequestRecord = Extract<
  NonNullable<RequestQuery["node"]>,
  { __typename: "UsageRecord" }
>;

const EVERY_MS = 400;
const TRIES = 30;

/** Null until it is there; asks from the moment there is an id on, which is when the answer ended. */
export function useRecord(requestId: string | null): RequestRecord | null {
  const client = useClient();
  const [record, setRecord] = useState<RequestRecord | null>(null);
  useEffect(() => {
    setRecord(null);
    if (requestId === null) return;
    let left = TRIES;
    const timer = setInterval(async () => {
      left -= 1;
      if (left === 0) clearInterval(timer);
      const variables = { id: recordId(requestId) };
      const fresh = { requestPolicy: "network-only" } as const;
      const { data } = await client.query(RequestDocument, variables, fresh).toPromise();
      if (data?.node?.__typename !== "UsageRecord") return;
      clearInterval(timer);
      setRecord(data.node);
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [client, requestId]);
  return record;
}
