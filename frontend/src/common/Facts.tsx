/** Names with their values, in two columns where there is room. */
import Grid from "@mui/material/Grid";
import type { ReactNode } from "react";

interface Props {
  facts: readonly (readonly [string, ReactNode])[];
  /** How many of them stand beside each other on a wide page. */
  columns?: 1 | 2;
}

export function Facts({ facts, columns = 2 }: Props) {
  return (
    <Grid container component="dl" spacing={1} sx={{ m: 0, width: "100%" }}>
      {facts.map(([name, value]) => (
        <Grid key={name} container size={{ xs: 12, sm: 12 / columns }}>
          <Grid component="dt" size={4} sx={{ color: "text.secondary" }}>
            {name}
          </Grid>
          <Grid component="dd" size={8} sx={{ m: 0, wordBreak: "break-word" }}>
            {value}
          </Grid>
        </Grid>
      ))}
    </Grid>
  );
}
