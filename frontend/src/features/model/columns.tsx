/** What the table of models shows of each. */
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { mdiCurrencyUsd, mdiDelete, mdiPause, mdiPencil, mdiPlay } from "@mdi/js";
import { compact, duration, percent, words } from "../../common/format";
import { HealthChip } from "../../common/HealthChip";
import { LevelChip } from "../../common/LevelChip";
import type { Column } from "../../common/ListTable";
import { price } from "../../common/money";
import { RowMenu } from "../../common/RowMenu";
import type { ModelRowFragment } from "../../gql/model";

export type Command = "edit" | "price" | "toggle" | "delete";
export type Run = (command: Command, model: ModelRowFragment) => void;

export interface ModelColumn extends Column<ModelRowFragment> {
  /** Left out of the grid until somebody chooses it. */
  hidden?: boolean;
  /** Takes the room that is left, and is always there. */
  wide?: boolean;
  /** Pixels in the grid. */
  narrowest?: number;
}

/** `run` is null for those who may only look. */
export function columnsOf(run: Run | null): ModelColumn[] {
  const shown: ModelColumn[] = [
    { label: "Model", sort: "NAME", wide: true, render: (model) => <Name model={model} /> },
    { label: "Provider", ...MORE, sort: "REFERENCE", render: ({ provider }) => provider.name },
    {
      label: "Level",
      narrowest: 112,
      render: ({ powerLevel, levelPin }) => (
        <LevelChip level={powerLevel} pinned={levelPin !== null} />
      ),
    },
    {
      label: "Input / output per 1M",
      sort: "PRICE",
      numeric: true,
      render: (model) => <PriceCell {...{ model, run }} />,
    },
    {
      label: "Context",
      sort: "CONTEXT_LENGTH",
      minor: true,
      numeric: true,
      render: ({ contextLength }) => (contextLength === null ? "–" : compact(contextLength)),
    },
    {
      label: "Quality",
      sort: "QUALITY",
      minor: true,
      numeric: true,
      render: ({ quality }) => percent(quality, 0),
    },
    { label: "Health", narrowest: 128, render: ({ health }) => <HealthChip health={health} /> },
    {
      label: "First token",
      minor: true,
      numeric: true,
      render: ({ health }) => duration(health.firstTokenP50Ms),
    },
    {
      label: "Tokens per second",
      ...MORE,
      numeric: true,
      render: ({ health: { tokensPerSecond } }) =>
        tokensPerSecond === null ? "–" : Math.round(tokensPerSecond),
    },
    {
      label: "Errors",
      ...MORE,
      numeric: true,
      render: ({ health }) => percent(health.errorRate),
    },
    {
      label: "Longest answer",
      ...MORE,
      numeric: true,
      render: ({ maxOutputTokens }) => (maxOutputTokens === null ? "–" : compact(maxOutputTokens)),
    },
    {
      label: "Cached input per 1M",
      ...MORE,
      numeric: true,
      render: ({ currentPrice }) =>
        currentPrice?.cachedInput ? price(currentPrice.cachedInput) : "–",
    },
    {
      label: "Able to use",
      narrowest: 240,
      ...MORE,
      render: ({ capabilities }) => capabilities.map(words).join(", "),
    },
    {
      label: "Takes",
      ...MORE,
      render: ({ inputModalities }) => inputModalities.map(words).join(", "),
    },
    { label: "Canonical name", ...MORE, render: ({ canonicalName }) => canonicalName },
  ];
  if (!run) return shown;
  return [
    ...shown,
    { label: "Actions", actions: true, render: (model) => <Actions {...{ model, run }} /> },
  ];
}

const MORE = { minor: true, hidden: true };

function Name({ model }: { model: ModelRowFragment }) {
  const { displayName, reference, enabled } = model;
  return (
    <Box sx={{ minWidth: 0 }}>
      <Stack direction="row" spacing={1} sx={{ alignItems: "center" }}>
        <Typography sx={{ fontWeight: 600, ...CLIPPED }}>{displayName}</Typography>
        {!enabled && <Chip size="small" label="Off" />}
      </Stack>
      <Typography variant="body2" color="textSecondary" title={reference} sx={CLIPPED}>
        {reference}
      </Typography>
    </Box>
  );
}

/** Cut off in a grid; whole on a phone's card. */
const CLIPPED = {
  overflow: { sm: "hidden" },
  textOverflow: "ellipsis",
  whiteSpace: { sm: "nowrap" },
  wordBreak: "break-word",
} as const;

function PriceCell({ model, run }: { model: ModelRowFragment; run: Run | null }) {
  const known = model.currentPrice;
  const text = known ? `${price(known.input)} / ${price(known.output)}` : "Unknown";
  if (!run) return text;
  return (
    <Button
      size="small"
      color={known ? "inherit" : "warning"}
      aria-label={`Price of ${model.reference}: ${text}`}
      onClick={() => run("price", model)}
    >
      {text}
    </Button>
  );
}

function Actions({ model, run }: { model: ModelRowFragment; run: Run }) {
  const does = (command: Command) => () => run(command, model);
  const toggle = model.enabled
    ? { label: "Switch off", icon: mdiPause }
    : { label: "Switch on", icon: mdiPlay };
  return (
    <RowMenu
      of={model.reference}
      entries={[
        { label: "Edit", icon: mdiPencil, onClick: does("edit") },
        { label: "Price and history", icon: mdiCurrencyUsd, onClick: does("price") },
        { ...toggle, onClick: does("toggle") },
        { label: "Delete", icon: mdiDelete, onClick: does("delete") },
      ]}
    />
  );
}
