/** How a request ended, by colour and word. */
import Chip from "@mui/material/Chip";
import { words } from "../../common/format";
import type { UsageStatus } from "../../gql/request";

const LOOKS: Record<UsageStatus, readonly ["success" | "error" | "warning" | "default", string]> = {
  OK: ["success", "OK"],
  ERROR: ["error", "Error"],
  CUT: ["warning", "Cut off"],
  CANCELLED: ["default", "Cancelled"],
  RECOVERED: ["warning", "Recovered"],
  UNKNOWN: ["warning", "Unknown"],
};

export function StatusChip({
  status,
  errorClass,
}: {
  status: UsageStatus;
  errorClass: string | null;
}) {
  const [color, label] = LOOKS[status];
  const shown = errorClass ? `${label}: ${words(errorClass)}` : label;
  return <Chip size="small" variant="outlined" color={color} label={shown} />;
}
