/** Errors that keep rules from being published, then warnings. */
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import type { Validation } from "./useFindings";

const KINDS = [
  ["ERROR", "error", "Cannot be published"],
  ["WARNING", "warning", "Worth a second look"],
] as const;

export function Findings({ validation }: { validation: Validation | undefined }) {
  return KINDS.map(([severity, color, title]) => {
    const found = validation?.findings.filter((each) => each.severity === severity) ?? [];
    return (
      found.length > 0 && (
        <Alert key={severity} severity={color}>
          {title}:
          <Box component="ul" sx={{ m: 0, pl: 2.5 }}>
            {found.map(({ code, field, alias, message }) => (
              <li key={`${code} ${field} ${alias}`}>
                {alias && <strong>{alias}: </strong>}
                {message}
              </li>
            ))}
          </Box>
        </Alert>
      )
    );
  });
}
