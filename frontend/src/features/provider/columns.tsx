/** What the table of providers shows of each. */
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import {
  mdiConnection,
  mdiDelete,
  mdiKeyOutline,
  mdiPause,
  mdiPencil,
  mdiPlay,
  mdiRadar,
} from "@mdi/js";
import { CredentialChip } from "../../common/CredentialChip";
import { duration, percent, words } from "../../common/format";
import { HealthChip } from "../../common/HealthChip";
import type { Column } from "../../common/ListTable";
import { RowMenu } from "../../common/RowMenu";
import { PRESETS } from "./presets";
import { keyCountOf, keysOf, type ProviderRow } from "./row";
import { Trend } from "./Trend";

export type Command = "test" | "discover" | "edit" | "keys" | "toggle" | "delete";
type Run = (command: Command, provider: ProviderRow) => Promise<void>;

/** `run` is null for those who may only look. */
export function columnsOf(run: Run | null): Column<ProviderRow>[] {
  const shown: Column<ProviderRow>[] = [
    { label: "Provider", render: (provider) => <Name provider={provider} /> },
    { label: "Health", render: ({ health }) => <HealthChip health={health} /> },
    {
      label: "First token p50 / p95",
      numeric: true,
      render: ({ health: { firstTokenP50Ms, firstTokenP95Ms } }) =>
        firstTokenP50Ms === null
          ? "–"
          : `${duration(firstTokenP50Ms)} / ${duration(firstTokenP95Ms)}`,
    },
    {
      label: "Errors",
      minor: true,
      numeric: true,
      render: ({ health }) => percent(health.errorRate),
    },
    { label: "Last 24 hours", minor: true, render: ({ id, name }) => <Trend {...{ id, name }} /> },
    { label: "Models", numeric: true, render: ({ models }) => models.totalCount.toLocaleString() },
    { label: "Priority", minor: true, numeric: true, render: ({ priority }) => priority },
  ];
  if (!run) return shown;
  return [
    ...shown,
    { label: "Keys", render: (provider) => <Keys {...{ provider, run }} /> },
    { label: "Actions", actions: true, render: (provider) => <Actions {...{ provider, run }} /> },
  ];
}

function Name({ provider }: { provider: ProviderRow }) {
  const { name, slug, type, enabled } = provider;
  return (
    <Box>
      <Stack direction="row" spacing={1} sx={{ alignItems: "center" }}>
        <Typography sx={{ fontWeight: 600 }}>{name}</Typography>
        {!enabled && <Chip size="small" label="Off" />}
      </Stack>
      <Typography variant="body2" color="textSecondary">
        {slug} · {PRESETS[type].label}
      </Typography>
    </Box>
  );
}

function Keys({ provider, run }: { provider: ProviderRow; run: Run }) {
  const keys = keysOf(provider);
  const worst = keys.find(({ state }) => state === "NEEDS_KEY") ?? keys[0];
  const count = keys.length > 1 ? `${keyCountOf(provider)} keys` : worst?.mask;
  const said = worst ? `${words(worst.state)} ${count}` : "No key";
  return (
    <Button
      size="small"
      color="inherit"
      aria-label={`${said}: keys of ${provider.name}`}
      onClick={() => void run("keys", provider)}
    >
      {worst ? (
        <Stack direction="row" spacing={1} sx={{ alignItems: "center" }}>
          <CredentialChip credential={worst} />{" "}
          <Box component="span" sx={{ whiteSpace: "nowrap" }}>
            {count}
          </Box>
        </Stack>
      ) : (
        <Chip size="small" variant="outlined" color="warning" label="No key" />
      )}
    </Button>
  );
}

function Actions({ provider, run }: { provider: ProviderRow; run: Run }) {
  const does = (command: Command) => () => void run(command, provider);
  const toggle = provider.enabled
    ? { label: "Switch off", icon: mdiPause }
    : { label: "Switch on", icon: mdiPlay };
  return (
    <RowMenu
      of={provider.name}
      entries={[
        { label: "Test", icon: mdiConnection, onClick: does("test") },
        { label: "Discover models", icon: mdiRadar, onClick: does("discover") },
        { label: "Edit", icon: mdiPencil, onClick: does("edit") },
        { label: "Keys", icon: mdiKeyOutline, onClick: does("keys") },
        { ...toggle, onClick: does("toggle") },
        { label: "Delete", icon: mdiDelete, onClick: does("delete") },
      ]}
    />
  );
}
