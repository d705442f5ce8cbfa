/** What a period's usage is made of: the dearest groups first. */
import Box from "@mui/material/Box";
import Link from "@mui/material/Link";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { mdiChartLine } from "@mdi/js";
import { useEffect, useState } from "react";
import { Link as RouterLink } from "react-router";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { compact, duration, percent, whole, words } from "../../common/format";
import { Toggle } from "../../common/Toggle";
import { type Column, ListTable } from "../../common/ListTable";
import { dollars } from "../../common/money";
import { Empty } from "../../common/states";
import {
  UsageBreakdownDocument,
  type UsageBreakdownQuery,
  type UsageBreakdownQueryVariables,
  type UsageDimension,
} from "../../gql/usage";

type Group = UsageBreakdownQuery["usage"]["breakdown"]["groups"][number];

const DIMENSIONS: readonly (readonly [UsageDimension, string])[] = [
  ["PROVIDER", "Provider"],
  ["MODEL", "Model"],
  ["USER", "User"],
  ["ORGANIZATION", "Organisation"],
  ["API_KEY", "API key"],
  ["BYOK", "Whose key"],
  ["ERROR_CLASS", "Errors"],
];

interface Props {
  variables: Omit<UsageBreakdownQueryVariables, "by">;
  /** Counts what has come in since: the groups are asked for anew when it moves. */
  moment: number;
}

export function Breakdown({ variables, moment }: Props) {
  const [by, setBy] = useState<UsageDimension>("MODEL");
  const [{ data, error }, refetch] = useQuery({
    query: UsageBreakdownDocument,
    variables: { ...variables, by },
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
        <Toggle label="Group by" value={by} options={DIMENSIONS} onChange={setBy} />
      </Stack>
      <ListTable
        label="Breakdown"
        columns={columnsOf(by, Number(data?.usage.totals.cost ?? 0))}
        rows={by === "ERROR_CLASS" ? found?.groups.filter(({ name }) => name) : found?.groups}
        keyOf={(group) => nameOf(group)}
        problem={error && !found ? messageOf(error) : null}
        retry={() => refetch({ requestPolicy: "network-only" })}
        empty={
          <Empty
            icon={mdiChartLine}
            title={by === "ERROR_CLASS" ? "No errors" : "Nothing in this period"}
            guide={by === "ERROR_CLASS" ? undefined : "first-steps"}
          >
            {by === "ERROR_CLASS" ? "Every request was answered." : "Choose a longer one."}
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

/** `total` is the cost of all groups together, in dollars. */
function columnsOf(by: UsageDimension, total: number): Column<Group>[] {
  return [
    { label: "Name", render: (group) => <Name group={group} by={by} /> },
    { label: "Cost", numeric: true, render: ({ cost }) => <Share cost={cost} total={total} /> },
    { label: "Requests", numeric: true, render: ({ requests }) => whole(requests) },
    {
      label: "Tokens in / out",
      numeric: true,
      render: (group) => `${compact(group.inputTokens)} / ${compact(group.outputTokens)}`,
    },
    { label: "Errors", numeric: true, render: ({ errorRate }) => percent(errorRate) },
    {
      label: "Latency p50 / p95",
      numeric: true,
      render: ({ latencyP50Ms, latencyP95Ms }) =>
        `${duration(latencyP50Ms)} / ${duration(latencyP95Ms)}`,
    },
  ];
}

/** An error class leads to what it means. */
function Name({ group, by }: { group: Group; by: UsageDimension }) {
  const name = nameOf(group);
  if (by !== "ERROR_CLASS") return name;
  return (
    <Link component={RouterLink} to={`/guides/troubleshooting#${name.toLowerCase()}`}>
      {words(name)}
    </Link>
  );
}

function Share({ cost, total }: { cost: string; total: number }) {
  const share = total > 0 ? Number(cost) / total : 0;
  return (
    <Stack direction="row" spacing={1} sx={{ alignItems: "center", justifyContent: "flex-end" }}>
      <span>{dollars(cost)}</span>
      <Box title={percent(share)} aria-hidden sx={BAR}>
        <Box sx={{ width: `${share * 100}%`, height: "100%", bgcolor: "primary.main" }} />
      </Box>
    </Stack>
  );
}

const BAR = { width: 56, height: 8, borderRadius: 1, bgcolor: "action.hover", overflow: "hidden" };

function nameOf({ model, provider, user, organization, apiKey, name }: Group): string {
  const found = model?.reference ?? provider?.name ?? user?.name ?? organization?.name;
  return found ?? apiKey?.name ?? KEYS[name ?? ""] ?? name ?? "Nobody";
}

const KEYS: Record<string, string> = { SYSTEM: "The house's", BYOK: "Own (BYOK)" };
