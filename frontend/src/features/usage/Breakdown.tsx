/** What a period's usage is made of: the dearest groups first. */
import Stack from "@mui/material/Stack";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import Typography from "@mui/material/Typography";
import { mdiChartLine } from "@mdi/js";
import { useEffect, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { compact, duration, percent, whole } from "../../common/format";
import { type Column, ListTable } from "../../common/ListTable";
import { dollars } from "../../common/money";
import { Empty } from "../../common/states";
import {
  UsageBreakdownDocument,
  type UsageBreakdownQuery,
  type UsageDimension,
  type UsagePeriod,
} from "../../gql/usage";
import { TIME_ZONE } from "./period";

type Group = UsageBreakdownQuery["usage"]["breakdown"]["groups"][number];

const DIMENSIONS: readonly (readonly [UsageDimension, string])[] = [
  ["PROVIDER", "Provider"],
  ["MODEL", "Model"],
  ["USER", "User"],
  ["API_KEY", "API key"],
];

/** `moment` counts what has come in since: the groups are asked for anew when it moves. */
export function Breakdown({ period, moment }: { period: UsagePeriod; moment: number }) {
  const [by, setBy] = useState<UsageDimension>("MODEL");
  const [{ data, error }, refetch] = useQuery({
    query: UsageBreakdownDocument,
    variables: { period, timeZone: TIME_ZONE, by },
  });
  useEffect(() => {
    if (moment > 0) refetch({ requestPolicy: "network-only" });
  }, [moment, refetch]);
  const found = data?.usage.breakdown;
  return (
    <section aria-label="Breakdown">
      <Stack
        direction="row"
        useFlexGap
        spacing={1}
        sx={{ justifyContent: "space-between", alignItems: "center", flexWrap: "wrap", mb: 1 }}
      >
        <Typography variant="h2">What it is made of</Typography>
        <ToggleButtonGroup
          exclusive
          size="small"
          aria-label="Group by"
          value={by}
          onChange={(_, chosen: UsageDimension | null) => chosen && setBy(chosen)}
        >
          {DIMENSIONS.map(([value, label]) => (
            <ToggleButton key={value} value={value}>
              {label}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
      </Stack>
      <ListTable
        label="Breakdown"
        columns={COLUMNS}
        rows={found?.groups}
        keyOf={(group) => nameOf(group)}
        problem={error && !found ? messageOf(error) : null}
        retry={() => refetch({ requestPolicy: "network-only" })}
        empty={
          <Empty icon={mdiChartLine} title="Nothing in this period">
            Choose a longer one.
          </Empty>
        }
        footer={
          found?.other && (
            <Typography variant="body2" color="textSecondary" sx={{ px: 2, py: 1 }}>
              All others: {whole(found.other.requests)} requests, {dollars(found.other.cost)}
            </Typography>
          )
        }
      />
    </section>
  );
}

const COLUMNS: Column<Group>[] = [
  { label: "Name", render: (group) => nameOf(group) },
  { label: "Cost", numeric: true, render: ({ cost }) => dollars(cost) },
  { label: "Requests", numeric: true, render: ({ requests }) => whole(requests) },
  {
    label: "Tokens in / out",
    numeric: true,
    render: ({ inputTokens, outputTokens }) => `${compact(inputTokens)} / ${compact(outputTokens)}`,
  },
  { label: "Errors", numeric: true, render: ({ errorRate }) => percent(errorRate) },
  {
    label: "Latency p50 / p95",
    numeric: true,
    render: ({ latencyP50Ms, latencyP95Ms }) =>
      `${duration(latencyP50Ms)} / ${duration(latencyP95Ms)}`,
  },
];

function nameOf({ model, provider, user, apiKey, name }: Group): string {
  return model?.reference ?? provider?.name ?? user?.name ?? apiKey?.name ?? name ?? "Nobody";
}
