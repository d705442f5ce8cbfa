/** What the requests by one's own keys would have cost here, over thirty days. */
import Card from "@mui/material/Card";
import Link from "@mui/material/Link";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { Link as RouterLink } from "react-router";
import { useQuery } from "urql";
import { whole } from "../../common/format";
import { dollars } from "../../common/money";
import { ShadowCostDocument } from "../../gql/byok";
import { TIME_ZONE } from "../usage/period";

export function ShadowCost({ user }: { user: string }) {
  const [{ data }] = useQuery({
    query: ShadowCostDocument,
    variables: { user, timeZone: TIME_ZONE },
  });
  if (!data || data.usage.totals.requests === 0) return null;
  const { totals, breakdown } = data.usage;
  return (
    <Card variant="outlined" component="section" aria-label="Shadow cost" sx={{ p: 2 }}>
      <Typography variant="body2" color="textSecondary">
        Shadow cost, last 30 days
      </Typography>
      <Typography variant="h1" component="p">
        {dollars(totals.shadowCost)}
      </Typography>
      <Typography variant="body2">
        {whole(totals.requests)} requests went out with your own keys. That is what they would have
        cost here; no credits were charged.
        {totals.unpricedRequests > 0 &&
          ` Of ${whole(totals.unpricedRequests)} the price is unknown.`}
      </Typography>
      <Stack direction="row" spacing={2} useFlexGap sx={{ flexWrap: "wrap", mt: 1 }}>
        {breakdown.groups.map(({ provider, name, cost, requests }) => (
          <Typography key={provider?.id ?? name} variant="body2" color="textSecondary">
            {provider?.name ?? name}: {dollars(cost)}, {whole(requests)} requests
          </Typography>
        ))}
        <Link component={RouterLink} to="/usage?period=DAYS_30&keys=own" variant="body2">
          See each request
        </Link>
      </Stack>
    </Card>
  );
}
