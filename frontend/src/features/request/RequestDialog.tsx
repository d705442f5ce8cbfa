/** One request: what it used and cost, every upstream call, and why it went there. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { Facts as FactList } from "../../common/Facts";
import { duration, whenPrecisely, whole, words } from "../../common/format";
import { dollars, price } from "../../common/money";
import { Loading, Problem } from "../../common/states";
import { useNarrow } from "../../common/useNarrow";
import { RequestDocument, type RequestQuery } from "../../gql/request";
import { DecisionView } from "../decision/DecisionView";
import { Attempts } from "./Attempts";
import { StatusChip } from "./StatusChip";

type Found = Extract<NonNullable<RequestQuery["node"]>, { __typename: "UsageRecord" }>;

export function RequestDialog({ id, onClose }: { id: string; onClose: () => void }) {
  const [{ data, error }] = useQuery({ query: RequestDocument, variables: { id } });
  const fullScreen = useNarrow();
  const request = data?.node?.__typename === "UsageRecord" ? data.node : null;
  return (
    <Dialog
      open
      onClose={onClose}
      fullWidth
      maxWidth="md"
      {...{ fullScreen }}
      aria-labelledby="request"
    >
      <DialogTitle id="request">Request</DialogTitle>
      <DialogContent dividers>
        {error && !data && <Problem message={messageOf(error)} />}
        {!data && !error && <Loading />}
        {data && !request && (
          <Alert severity="warning">It is not there, or not yours to see.</Alert>
        )}
        {request && <RequestView request={request} />}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  );
}

function RequestView({ request }: { request: Found }) {
  return (
    <Stack spacing={3}>
      <Facts request={request} />
      <section aria-label="Upstream calls">
        <Typography variant="h2" sx={{ mb: 1 }}>
          Upstream calls
        </Typography>
        <Attempts attempts={request.attempts} />
      </section>
      {request.decision && (
        <section aria-label="Decision">
          <Typography variant="h2" sx={{ mb: 1 }}>
            Decision
          </Typography>
          <DecisionView decision={request.decision} />
        </section>
      )}
    </Stack>
  );
}

function costText(cost: string): string {
  const [short, exact] = [dollars(cost), `$${cost}`];
  return short === exact ? `${exact} (exact)` : `${short} (exactly ${exact})`;
}

function Facts({ request }: { request: Found }) {
  const { status, errorClass, cost, providerSlug, modelName, latencyMs, firstTokenMs } = request;
  const facts: [string, React.ReactNode][] = [
    ["Status", <StatusChip key="status" status={status} errorClass={errorClass} />],
    ["Started", whenPrecisely(request.startedAt)],
    ["Asked for", request.requestedModel],
    ["Served by", modelName ? `${providerSlug}/${modelName}` : "Nobody"],
    ["Cost", cost === null ? "Unknown: no price" : costText(cost)],
    ["Price per 1M", request.price ? priceText(request.price) : "–"],
    ["Tokens", tokens(request)],
    ["Counted by", words(request.usageSource)],
    ["Took", `${duration(latencyMs)}, first token ${duration(firstTokenMs)}`],
    ["Provider key", request.keyOwner ? words(request.keyOwner) : "–"],
    ["By", [request.user?.name, request.apiKey?.name].filter(Boolean).join(", key ") || "–"],
  ];
  return <FactList facts={facts} />;
}

function priceText({ input, output }: NonNullable<Found["price"]>): string {
  return `${price(input)} in, ${price(output)} out`;
}

function tokens({ inputTokens, cachedTokens, outputTokens, reasoningTokens }: Found): string {
  const cached = cachedTokens === 0 ? "" : ` (${whole(cachedTokens)} cached)`;
  const reasoned = reasoningTokens === 0 ? "" : ` (${whole(reasoningTokens)} reasoning)`;
  return `${whole(inputTokens)} in${cached}, ${whole(outputTokens)} out${reasoned}`;
}
