/** The Usage tab: what was used and what it cost, and the requests as they come in. */
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { useEffect, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { Page } from "../../common/Page";
import { Problem } from "../../common/states";
import { type UsagePeriod, UsageSummaryDocument } from "../../gql/usage";
import { Breakdown } from "./Breakdown";
import { Cards } from "./Cards";
import { PERIODS, TIME_ZONE } from "./period";
import { Records } from "./Records";
import { Series } from "./Series";
import { useTail } from "./useTail";

export function Usage() {
  const [period, setPeriod] = useState<UsagePeriod>("DAYS_7");
  const [following, setFollowing] = useState(true);
  const { records, hasGap, error: cut, moment } = useTail(following);
  const variables = { period, timeZone: TIME_ZONE };
  const [{ data, error }, refetch] = useQuery({ query: UsageSummaryDocument, variables });
  useEffect(() => {
    if (moment > 0) refetch({ requestPolicy: "network-only" });
  }, [moment, refetch]);
  return (
    <Page
      title="Usage Analytics"
      about="What was used and what it cost, to the last digit."
      actions={
        <ToggleButtonGroup
          exclusive
          size="small"
          aria-label="Period"
          value={period}
          onChange={(_, chosen: UsagePeriod | null) => chosen && setPeriod(chosen)}
        >
          {PERIODS.map(([value, label]) => (
            <ToggleButton key={value} value={value}>
              {label}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
      }
    >
      {error && !data && (
        <Problem
          message={messageOf(error)}
          retry={() => refetch({ requestPolicy: "network-only" })}
        />
      )}
      {cut && following && <Problem message={`Not live: ${messageOf(cut)}`} />}
      <Cards totals={data?.usage.totals} />
      <Series series={data?.usage.series} />
      <Breakdown period={period} moment={moment} />
      <Records tail={records} following={following} setFollowing={setFollowing} hasGap={hasGap} />
    </Page>
  );
}
