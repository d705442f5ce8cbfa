/** How well an upstream answers, by colour, icon and word. */
import Chip from "@mui/material/Chip";
import Tooltip from "@mui/material/Tooltip";
import { mdiAlertCircle, mdiCheckCircle, mdiCloseCircle, mdiHelpCircleOutline } from "@mdi/js";
import { ago, percent, words } from "./format";
import { Icon } from "./Icon";

export interface Health {
  state: "HEALTHY" | "DEGRADED" | "UNHEALTHY" | "UNKNOWN";
  errorRate: number | null;
  samples: number;
  observedAt: string | null;
}

const LOOKS = {
  HEALTHY: ["success", mdiCheckCircle],
  DEGRADED: ["warning", mdiAlertCircle],
  UNHEALTHY: ["error", mdiCloseCircle],
  UNKNOWN: ["default", mdiHelpCircleOutline],
} as const;

export function HealthChip({ health }: { health: Health }) {
  const [color, path] = LOOKS[health.state];
  const seen = health.observedAt
    ? `${percent(health.errorRate)} errors over ${health.samples} requests, seen ${ago(health.observedAt)}`
    : "No traffic observed yet";
  return (
    <Tooltip title={seen}>
      <Chip
        size="small"
        variant="outlined"
        color={color}
        tabIndex={0}
        icon={<Icon path={path} />}
        label={words(health.state)}
      />
    </Tooltip>
  );
}
