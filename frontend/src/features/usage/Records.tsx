/** The requests themselves, newest first; each leads to its decision. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import FormControlLabel from "@mui/material/FormControlLabel";
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import Switch from "@mui/material/Switch";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { mdiConsoleLine } from "@mdi/js";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Link } from "react-router";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { useConnection } from "../../common/connection";
import { duration, when, whole } from "../../common/format";
import { type Column, ListTable } from "../../common/ListTable";
import { dollars } from "../../common/money";
import { Pager } from "../../common/Pager";
import { Empty } from "../../common/states";
import { type Keyset, useKeyset } from "../../common/useKeyset";
import { useNarrow } from "../../common/useNarrow";
import { type RecordRowFragment, UsageRecordsDocument, type UsageStatus } from "../../gql/usage";
import { RequestDialog } from "../request/RequestDialog";
import { StatusChip } from "../request/StatusChip";
import { type Asked, filterOf, sinceOf, untilOf } from "./period";

const PAGE = { wide: 25, narrow: 10 };

interface Props {
  asked: Asked;
  tail: readonly RecordRowFragment[];
  following: boolean;
  setFollowing: (following: boolean) => void;
  /** How often some were left out of the tail. */
  gaps: number;
  /** The request whose details are shown. */
  open: string | null;
  setOpen: (id: string | null) => void;
}

export function Records(props: Props) {
  const { asked, tail, following, setFollowing, gaps, open, setOpen } = props;
  const { isThere, returns } = useConnection();
  const [known, setKnown] = useState(0);
  const [status, setStatus] = useState<UsageStatus | "">("");
  const size = useNarrow() ? PAGE.narrow : PAGE.wide;
  const keyset = useKeyset(size);
  const { restart } = keyset;
  useEffect(restart, [restart, asked]);
  const filter = useMemo(
    () => ({
      ...filterOf(asked),
      statuses: status ? [status] : null,
      from: sinceOf(asked),
      to: untilOf(asked),
    }),
    [asked, status],
  );
  const variables = { filter, ...keyset.position };
  const [{ data, error }, refetch] = useQuery({ query: UsageRecordsDocument, variables });
  const reload = useCallback(() => refetch({ requestPolicy: "network-only" }), [refetch]);
  useEffect(() => {
    if (returns > 0) reload();
  }, [returns, reload]);
  const found = data?.usageRecords;
  const narrowed = status !== "" || Object.values(filterOf(asked)).some(Boolean);
  const isNow = isFirst(keyset) && filter.to === null;
  const fresh = isNow ? tail.filter((each) => !status || each.status === status) : [];
  return (
    <section aria-label="Requests">
      <Stack
        direction="row"
        useFlexGap
        spacing={2}
        sx={{ justifyContent: "space-between", alignItems: "center", flexWrap: "wrap", mb: 1 }}
      >
        <Typography variant="h2">Requests</Typography>
        <Stack direction="row" spacing={2} sx={{ alignItems: "center" }}>
          <FormControlLabel
            label={!following ? "Paused" : isThere ? "Live" : "Reconnecting …"}
            control={
              <Switch
                checked={following}
                onChange={(_, checked) => {
                  setFollowing(checked);
                  if (checked) reload();
                }}
              />
            }
          />
          <StatusFilter
            value={status}
            onChange={(chosen) => {
              setStatus(chosen);
              keyset.restart();
            }}
          />
        </Stack>
      </Stack>
      {gaps > known && (
        <Alert
          severity="info"
          action={
            <Button
              onClick={() => {
                reload();
                setKnown(gaps);
              }}
            >
              Reload
            </Button>
          }
        >
          More came in than could be followed.
        </Alert>
      )}
      <ListTable
        label="Requests"
        columns={columnsOf(setOpen)}
        rows={found && merged(fresh, found.nodes, size)}
        keyOf={({ id }) => id}
        problem={error && !found ? messageOf(error) : null}
        retry={reload}
        empty={narrowed ? <NoMatch /> : <NoRequests />}
        footer={<Pager page={found?.pageInfo} keyset={keyset} noun="requests" />}
      />
      {open && <RequestDialog id={open} onClose={() => setOpen(null)} />}
    </section>
  );
}

const STATUSES: readonly (readonly [UsageStatus | "", string])[] = [
  ["", "All"],
  ["OK", "OK"],
  ["ERROR", "Error"],
  ["CUT", "Cut off"],
  ["CANCELLED", "Cancelled"],
];

interface FilterProps {
  value: UsageStatus | "";
  onChange: (status: UsageStatus | "") => void;
}

function StatusFilter({ value, onChange }: FilterProps) {
  return (
    <TextField
      select
      size="small"
      label="Status"
      value={value}
      onChange={(event) => onChange(event.target.value as UsageStatus | "")}
      sx={{ minWidth: 120 }}
      slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
    >
      {STATUSES.map(([status, label]) => (
        <MenuItem key={status} value={status}>
          {label}
        </MenuItem>
      ))}
    </TextField>
  );
}

function columnsOf(open: (id: string) => void): Column<RecordRowFragment>[] {
  return [
    { label: "When", unbroken: true, render: ({ startedAt }) => when(startedAt) },
    { label: "Asked for", minor: true, render: ({ requestedModel }) => requestedModel },
    {
      label: "Served by",
      render: ({ providerSlug, modelName }) =>
        modelName ? `${providerSlug}/${modelName}` : "Nobody",
    },
    {
      label: "Status",
      render: ({ status, errorClass }) => <StatusChip status={status} errorClass={errorClass} />,
    },
    {
      label: "Tokens in / out",
      numeric: true,
      render: ({ inputTokens, outputTokens }) => `${whole(inputTokens)} / ${whole(outputTokens)}`,
    },
    {
      label: "Cost",
      numeric: true,
      render: ({ cost }) => (cost === null ? "Unknown" : dollars(cost)),
    },
    {
      label: "Latency",
      minor: true,
      numeric: true,
      render: ({ latencyMs }) => duration(latencyMs),
    },
    { label: "Calls", minor: true, numeric: true, render: ({ attemptCount }) => attemptCount },
    {
      label: "Actions",
      actions: true,
      render: ({ id, requestedModel }) => (
        <Button size="small" aria-label={`Why: ${requestedModel}`} onClick={() => open(id)}>
          Why
        </Button>
      ),
    },
  ];
}

const isFirst = ({ position }: Keyset) => !position.after && !position.before;

function merged(
  fresh: readonly RecordRowFragment[],
  page: readonly RecordRowFragment[],
  size: number,
) {
  const known = new Set(fresh.map(({ id }) => id));
  return [...fresh, ...page.filter(({ id }) => !known.has(id))].slice(0, size);
}

function NoMatch() {
  return (
    <Empty icon={mdiConsoleLine} title="No request matches">
      Take a filter away, or choose a longer time.
    </Empty>
  );
}

function NoRequests() {
  return (
    <Empty
      icon={mdiConsoleLine}
      title="No request yet"
      guide="first-steps"
      action={
        <Button component={Link} to="/playground" variant="contained">
          Open the playground
        </Button>
      }
    >
      Send a prompt, or point an application at /v1: each request appears here with its cost and the
      reason for its route.
    </Empty>
  );
}
