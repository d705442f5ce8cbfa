/** What is configured, in three numbers. */
import Alert from "@mui/material/Alert";
import Card from "@mui/material/Card";
import CardContent from "@mui/material/CardContent";
import Grid from "@mui/material/Grid";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";
import { useEffect, useState } from "react";
import { execute } from "../graphql";

const TOTALS = `{
  providers(first: 1) { totalCount }
  models(first: 1) { totalCount }
  usage(period: DAYS_30) { totals { requests cost } }
}`;

interface Found {
  providers: { totalCount: number };
  models: { totalCount: number };
  usage: { totals: { requests: number; cost: string } };
}

export function Totals() {
  const [found, setFound] = useState<Found | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    execute<Found>(TOTALS).then(setFound, (error: Error) => setProblem(error.message));
  }, []);
  if (problem) return <Alert severity="error">{problem}</Alert>;
  return (
    <Grid container spacing={2}>
      <Total label="Providers" value={found?.providers.totalCount} />
      <Total label="Models" value={found?.models.totalCount} />
      <Total label="Requests, 30 days" value={found?.usage.totals.requests} />
      <Total label="Cost, 30 days" value={found && `$${found.usage.totals.cost}`} />
    </Grid>
  );
}

function Total({ label, value }: { label: string; value: number | string | null | undefined }) {
  const shown = typeof value === "number" ? value.toLocaleString() : value;
  return (
    <Grid size={{ xs: 6, md: 3 }}>
      <Card variant="outlined">
        <CardContent>
          <Typography variant="body2" color="text.secondary">
            {label}
          </Typography>
          <Typography variant="h1" component="p">
            {shown ?? <Skeleton width={60} />}
          </Typography>
        </CardContent>
      </Card>
    </Grid>
  );
}
