/** What a list shows when it has nothing to show: still loading, empty, or failed. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Skeleton from "@mui/material/Skeleton";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";
import { GuideLink } from "./GuideLink";
import { Icon } from "./Icon";

export function Loading({ rows = 4, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <Stack spacing={1} role="status" aria-label={label} sx={{ p: 2 }}>
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} variant="rounded" height={36} />
      ))}
    </Stack>
  );
}

interface EmptyProps {
  icon: string;
  title: string;
  children: ReactNode;
  action?: ReactNode;
  /** The guide that helps, as in `providers#openai`. */
  guide?: string;
}

export function Empty({ icon, title, children, action, guide }: EmptyProps) {
  return (
    <Stack spacing={1.5} sx={{ alignItems: "center", textAlign: "center", px: 2, py: 6 }}>
      <Icon path={icon} sx={{ fontSize: 48, color: "text.secondary" }} />
      <Typography variant="h2">{title}</Typography>
      <Typography color="textSecondary" sx={{ maxWidth: 480 }}>
        {children}
      </Typography>
      {action && (
        <Stack
          direction="row"
          spacing={1}
          useFlexGap
          sx={{ flexWrap: "wrap", justifyContent: "center" }}
        >
          {action}
        </Stack>
      )}
      {guide && <GuideLink to={guide} />}
    </Stack>
  );
}

export function Problem({ message, retry }: { message: string; retry?: () => void }) {
  return (
    <Alert severity="error" action={retry && <Button onClick={retry}>Try again</Button>}>
      {message}
    </Alert>
  );
}
