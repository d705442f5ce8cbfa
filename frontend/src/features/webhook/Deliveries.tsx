/** What was sent to a webhook, with each attempt; what failed can be sent again. */
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Typography from "@mui/material/Typography";
import { mdiWebhook } from "@mdi/js";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { duration, when, words } from "../../common/format";
import { type Column, ListTable } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Pager } from "../../common/Pager";
import { Empty } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useKeyset } from "../../common/useKeyset";
import { usePolling } from "../../common/usePolling";
import {
  DeliveriesDocument,
  type DeliveriesQuery,
  ReplayWebhookDeliveryDocument,
  type WebhookRowFragment,
} from "../../gql/webhook";
import { eventWords } from "./events";

type Found = Extract<NonNullable<DeliveriesQuery["node"]>, { __typename: "Webhook" }>;
type Delivery = Found["deliveries"]["nodes"][number];

const REFRESH_MS = 2_000;
const COLOURS = { PENDING: "info", DELIVERED: "success", FAILED: "error" } as const;

export function Deliveries({
  webhook,
  onClose,
}: {
  webhook: WebhookRowFragment;
  onClose: () => void;
}) {
  const keyset = useKeyset(10);
  const variables = { id: webhook.id, ...keyset.position };
  const [{ data, error }, refetch] = useQuery({ query: DeliveriesDocument, variables });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  usePolling(refresh, REFRESH_MS);
  const replay = useReplay(refresh);
  const connection = data?.node?.__typename === "Webhook" ? data.node.deliveries : undefined;
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="md" aria-labelledby="deliveries">
      <DialogTitle id="deliveries">Deliveries to {webhook.name}</DialogTitle>
      <DialogContent>
        <ListTable
          label="Deliveries"
          columns={columnsOf((delivery) => void replay(delivery))}
          rows={connection?.nodes}
          keyOf={({ id }) => id}
          problem={error && !connection ? messageOf(error) : null}
          retry={refresh}
          empty={
            <Empty icon={mdiWebhook} title="Nothing sent yet">
              “Send a test” in its menu sends one event now.
            </Empty>
          }
          footer={
            <Pager
              page={connection?.pageInfo}
              keyset={keyset}
              total={connection?.totalCount}
              noun="deliveries"
            />
          }
        />
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  );
}

function useReplay(refresh: () => void) {
  const replay = useAct(ReplayWebhookDeliveryDocument);
  const notice = useNotice();
  return async ({ id }: Delivery) => {
    await replay({ input: { id } }).then(
      () => notice("It is sent again."),
      (refused: Error) => notice(refused.message),
    );
    refresh();
  };
}

function columnsOf(replay: (delivery: Delivery) => void): Column<Delivery>[] {
  return [
    { label: "When", render: ({ createdAt }) => when(createdAt) },
    { label: "Event", render: ({ eventType }) => eventWords(eventType) },
    { label: "State", render: (delivery) => <State delivery={delivery} /> },
    { label: "Attempts", render: ({ attempts }) => <Attempts attempts={attempts} /> },
    {
      label: "Actions",
      actions: true,
      render: (delivery) =>
        delivery.state !== "PENDING" && (
          <Button size="small" onClick={() => replay(delivery)}>
            Send again
          </Button>
        ),
    },
  ];
}

function State({ delivery: { state, nextAttemptAt } }: { delivery: Delivery }) {
  return (
    <>
      <Chip size="small" variant="outlined" color={COLOURS[state]} label={words(state)} />
      {state === "PENDING" && nextAttemptAt && (
        <Typography variant="caption" color="textSecondary" sx={{ display: "block" }}>
          next {when(nextAttemptAt)}
        </Typography>
      )}
    </>
  );
}

function Attempts({ attempts }: Pick<Delivery, "attempts">) {
  return (
    <Box component="ol" sx={{ m: 0, pl: 2 }}>
      {attempts.map((each) => (
        <li key={each.at}>
          <Typography variant="body2">
            {each.status ?? "No answer"} in {duration(each.latencyMs)}
            {each.error && `: ${each.error}`}
          </Typography>
        </li>
      ))}
    </Box>
  );
}
