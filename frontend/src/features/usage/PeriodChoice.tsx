/** Chooses the span of time: the last 7, 30 or 90 days, or any days. */
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import { words } from "../../common/format";
import { Toggle } from "../../common/Toggle";
import { type Asked, PERIODS, spanOf } from "./period";

interface Props {
  asked: Asked;
  onChange: (part: Partial<Asked>) => void;
}

export function PeriodChoice({ asked, onChange }: Props) {
  const isRange = asked.period === "RANGE";
  return (
    <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: "wrap" }}>
      {isRange &&
        (["from", "to"] as const).map((end) => (
          <TextField
            key={end}
            size="small"
            type="date"
            label={words(end)}
            value={asked[end]}
            error={asked.from !== "" && asked.to !== "" && !spanOf(asked)}
            onChange={(event) => onChange({ [end]: event.target.value })}
            slotProps={{ inputLabel: { shrink: true } }}
          />
        ))}
      <Toggle
        label="Period"
        value={asked.period}
        options={SPANS}
        onChange={(period) => onChange(chosen(period))}
      />
    </Stack>
  );
}

const SPANS = [...PERIODS, ["RANGE", "Range"]] as const;

/** A range begins with the last week, to be changed from there. */
function chosen(period: Asked["period"]): Partial<Asked> {
  if (period !== "RANGE") return { period, from: "", to: "" };
  const day = (ago: number) => {
    const date = new Date();
    date.setDate(date.getDate() - ago);
    return date.toLocaleDateString("sv");
  };
  return { period, from: day(6), to: day(0) };
}
