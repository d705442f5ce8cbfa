/** Every upstream call of a request, in order. */
import Box from "@mui/material/Box";
import Chip from "@mui/material/Chip";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { duration, whole, words } from "../../common/format";
import { dollars } from "../../common/money";
import type { RequestQuery } from "../../gql/request";

type Attempt = Extract<
  NonNullable<RequestQuery["node"]>,
  { __typename: "UsageRecord" }
>["attempts"][number];

export function Attempts({ attempts }: { attempts: readonly Attempt[] }) {
  if (attempts.length === 0) {
    return <Typography color="textSecondary">Nobody was called.</Typography>;
  }
  return (
    <Box component="ol" sx={{ m: 0, pl: 3 }}>
      {attempts.map((each) => (
        <li key={each.startedMs}>
          <Stack
            direction="row"
            spacing={1}
            useFlexGap
            sx={{ flexWrap: "wrap", alignItems: "center", py: 0.5 }}
          >
            <Typography sx={{ fontWeight: 600 }}>
              {each.providerSlug}/{each.modelName}
            </Typography>
            <Chip
              size="small"
              variant="outlined"
              color={each.outcome === "OK" ? "success" : "error"}
              label={outcome(each)}
            />
            <Typography variant="body2" color="textSecondary">
              {figures(each)}
            </Typography>
          </Stack>
          {each.reason && <Typography variant="body2">{each.reason}</Typography>}
        </li>
      ))}
    </Box>
  );
}

function outcome({ outcome: how, httpStatus }: Attempt): string {
  const said = how === "OK" ? how : words(how);
  return httpStatus === null ? said : `${said}, HTTP ${httpStatus}`;
}

function figures({ startedMs, latencyMs, inputTokens, outputTokens, cost }: Attempt): string {
  const parts = [`after ${duration(startedMs)}`, `took ${duration(latencyMs)}`];
  if (inputTokens !== null) parts.push(`${whole(inputTokens)} in, ${whole(outputTokens ?? 0)} out`);
  if (cost !== null) parts.push(dollars(cost));
  return parts.join(" · ");
}
