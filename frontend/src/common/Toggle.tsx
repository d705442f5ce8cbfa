/** One of a few things, all in sight; scrolls where there is no room for them. */
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";

interface Props<T extends string> {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}

export function Toggle<T extends string>({ label, value, options, onChange }: Props<T>) {
  return (
    <ToggleButtonGroup
      exclusive
      size="small"
      aria-label={label}
      value={value}
      onChange={(_, chosen: T | null) => chosen !== null && onChange(chosen)}
      sx={{ maxWidth: "100%", overflowX: "auto" }}
    >
      {options.map(([option, shown]) => (
        <ToggleButton key={option} value={option} sx={{ whiteSpace: "nowrap", flexShrink: 0 }}>
          {shown}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}
