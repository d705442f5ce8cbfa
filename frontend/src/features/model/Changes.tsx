/** The differences a discovery found, to choose from. */
import Checkbox from "@mui/material/Checkbox";
import Chip from "@mui/material/Chip";
import Stack from "@mui/material/Stack";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import { useState } from "react";
import { compact } from "../../common/format";
import type { DiscoveryKind } from "../../gql/model";
import { type Change, keyOf, KINDS, priceText } from "./discovery";

interface Props {
  changes: readonly Change[];
  chosen: ReadonlySet<string>;
  onChoose: (chosen: ReadonlySet<string>) => void;
}

export function Changes({ changes, chosen, onChoose }: Props) {
  const [kind, setKind] = useState<DiscoveryKind | "ALL">("ALL");
  const shown = changes.filter((each) => kind === "ALL" || each.kind === kind);
  const count = shown.filter((each) => chosen.has(keyOf(each))).length;

  function set(some: readonly Change[], on: boolean) {
    const next = new Set(chosen);
    for (const each of some) {
      if (on) next.add(keyOf(each));
      else next.delete(keyOf(each));
    }
    onChoose(next);
  }

  return (
    <Stack spacing={1}>
      <ToggleButtonGroup
        exclusive
        size="small"
        aria-label="Which changes"
        value={kind}
        onChange={(_, next: DiscoveryKind | "ALL" | null) => next && setKind(next)}
      >
        <ToggleButton value="ALL">All {changes.length}</ToggleButton>
        {Object.entries(KINDS).map(([value, [label]]) => (
          <ToggleButton key={value} value={value}>
            {label} {changes.filter((each) => each.kind === value).length}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <TableContainer sx={{ maxHeight: 420 }} tabIndex={0}>
        <Table size="small" stickyHeader aria-label="Differences">
          <TableHead>
            <TableRow>
              <TableCell padding="checkbox">
                <Checkbox
                  size="small"
                  checked={count > 0 && count === shown.length}
                  indeterminate={count > 0 && count < shown.length}
                  onChange={(_, on) => set(shown, on)}
                  slotProps={{ input: { "aria-label": "Choose all shown" } }}
                />
              </TableCell>
              <TableCell>Model</TableCell>
              <TableCell>What</TableCell>
              <TableCell align="right">Input / output per 1M</TableCell>
              <TableCell align="right">Context</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {shown.map((each) => (
              <ChangeRow
                key={keyOf(each)}
                change={each}
                checked={chosen.has(keyOf(each))}
                onCheck={(on) => set([each], on)}
              />
            ))}
          </TableBody>
        </Table>
      </TableContainer>
    </Stack>
  );
}

interface RowProps {
  change: Change;
  checked: boolean;
  onCheck: (on: boolean) => void;
}

function ChangeRow({ change, checked, onCheck }: RowProps) {
  const { kind, name, contextLength } = change;
  const [label, color] = KINDS[kind];
  return (
    <TableRow hover selected={checked}>
      <TableCell padding="checkbox">
        <Checkbox
          size="small"
          checked={checked}
          onChange={(_, on) => onCheck(on)}
          slotProps={{ input: { "aria-label": `${label}: ${name}` } }}
        />
      </TableCell>
      <TableCell sx={{ wordBreak: "break-word" }}>{name}</TableCell>
      <TableCell>
        <Chip size="small" variant="outlined" color={color} label={label} />
      </TableCell>
      <TableCell align="right">{priceText(change)}</TableCell>
      <TableCell align="right">{contextLength === null ? "–" : compact(contextLength)}</TableCell>
    </TableRow>
  );
}
