/** The Usage Analytics tab: what was used and what it cost, and the requests as they come in. */
import { useEffect, useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { useConnection } from "../../common/connection";
import { ExportButton } from "../../common/ExportButton";
import { Page } from "../../common/Page";
import { Problem } from "../../common/states";
import { UsageExportDocument, UsageSummaryDocument } from "../../gql/usage";
import { Breakdown } from "./Breakdown";
import { Cards } from "./Cards";
import { Narrow } from "./Narrow";
import { PeriodChoice } from "./PeriodChoice";
import {
  addressOf,
  type Asked,
  filterOf,
  FIRST,
  intervalOf,
  ofAddress,
  variablesOf,
} from "./period";
import { Records } from "./Records";
import { Series } from "./Series";
import { useTail } from "./useTail";

export function Usage() {
  const [parameters, setParameters] = useSearchParams();
  const request = parameters.get("request");
  const address = parameters.toString();
  const asked = useMemo(() => ofAddress(new URLSearchParams(address)), [address]);
  const variables = useMemo(() => variablesOf(asked), [asked]);
  const [following, setFollowing] = useState(true);
  const { returns } = useConnection();
  const tail = useTail(following, filterOf(asked));
  const moment = tail.moment + returns;
  const interval = intervalOf(asked);
  const [{ data, error }, refetch] = useQuery({
    query: UsageSummaryDocument,
    variables: { ...(variables ?? variablesOf(FIRST)!), interval },
    pause: variables === null,
  });
  useEffect(() => {
    if (moment > 0 && variables) refetch({ requestPolicy: "network-only" });
  }, [moment, refetch, variables]);

  const open = (id: string | null) =>
    setParameters({ ...addressOf(asked), ...(id ? { request: id } : {}) }, { replace: true });
  const change = (part: Partial<Asked>) =>
    setParameters(addressOf({ ...asked, ...part }), { replace: true });
  return (
    <Page
      title="Usage Analytics"
      about="What was used and what it cost, to the last digit."
      actions={
        <>
          <ExportButton
            query={UsageExportDocument}
            variables={variables ?? variablesOf(FIRST)!}
            urlOf={({ usageExport }) => usageExport.url}
          />
          <PeriodChoice asked={asked} onChange={change} />
        </>
      }
    >
      <Narrow asked={asked} onChange={change} />
      {error && !data && (
        <Problem
          message={messageOf(error)}
          retry={() => refetch({ requestPolicy: "network-only" })}
        />
      )}
      {tail.error && following && <Problem message={`Not live: ${messageOf(tail.error)}`} />}
      {(data || !error) && (
        <>
          <Cards totals={data?.usage.totals} previous={data?.usage.previous.totals} />
          <Series series={data?.usage.series} interval={interval} />
        </>
      )}
      {variables && <Breakdown variables={variables} moment={moment} />}
      <Records
        asked={asked}
        tail={tail.records}
        following={following}
        setFollowing={setFollowing}
        gaps={tail.gaps}
        open={request}
        setOpen={open}
      />
    </Page>
  );
}
