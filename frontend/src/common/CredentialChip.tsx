/** Whether a provider key is used, by colour and word; why not, on hover. */
import Chip from "@mui/material/Chip";
import { words } from "./format";

interface Props {
  credential: { state: "ACTIVE" | "DISABLED" | "NEEDS_KEY"; stateReason: string | null };
}

const COLOURS = { ACTIVE: "success", DISABLED: "default", NEEDS_KEY: "warning" } as const;

export function CredentialChip({ credential: { state, stateReason } }: Props) {
  return (
    <Chip
      size="small"
      variant="outlined"
      color={COLOURS[state]}
      label={words(state)}
      title={stateReason ?? undefined}
    />
  );
}
