/** The Webhooks tab: who is told of events, and how that goes. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Stack from "@mui/material/Stack";
import Typography from "@mui/material/Typography";
import {
  mdiDelete,
  mdiFormatListBulleted,
  mdiPencil,
  mdiPlus,
  mdiRefresh,
  mdiSend,
  mdiWebhook,
} from "@mdi/js";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { CopyBlock } from "../../common/CopyBlock";
import { ago } from "../../common/format";
import { Icon } from "../../common/Icon";
import { type Column, ListTable } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Page } from "../../common/Page";
import { Pager } from "../../common/Pager";
import { RowMenu } from "../../common/RowMenu";
import { Empty } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useKeyset } from "../../common/useKeyset";
import { TestWebhookDocument, type WebhookRowFragment, WebhooksDocument } from "../../gql/webhook";
import { Deliveries } from "./Deliveries";
import { eventWords } from "./events";
import { AddWebhook, DeleteWebhook, EditWebhook, RotateSecret } from "./WebhookForms";

type Open =
  | { command: "add" }
  | { command: "secret"; name: string; secret: string }
  | { command: "edit" | "rotate" | "delete" | "deliveries"; webhook: WebhookRowFragment };

export function Webhooks() {
  const keyset = useKeyset(25);
  const context = useMemo(() => ({ additionalTypenames: ["Webhook"] }), []);
  const variables = keyset.position;
  const [{ data, error }, refetch] = useQuery({ query: WebhooksDocument, variables, context });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const notice = useNotice();
  const test = useTest(setOpen);

  function done(text: string) {
    close();
    notice(text);
    refresh();
  }
  function show(made: { name: string; secret: string }) {
    setOpen({ command: "secret", ...made });
    refresh();
  }

  const connection = data?.webhooks;
  const add = (
    <Button
      variant="contained"
      startIcon={<Icon path={mdiPlus} />}
      onClick={() => setOpen({ command: "add" })}
    >
      Add a webhook
    </Button>
  );
  return (
    <Page
      title="Webhooks"
      about="Other systems told of events, signed so that they can be sure."
      actions={add}
    >
      <ListTable
        label="Webhooks"
        columns={columnsOf(setOpen, (webhook) => void test(webhook))}
        rows={connection?.nodes}
        keyOf={({ id }) => id}
        problem={error && !connection ? messageOf(error) : null}
        retry={refresh}
        empty={
          <Empty icon={mdiWebhook} title="No webhook yet" action={add} guide="graphql#webhooks">
            An address of yours hears of refused keys, health and price changes, and published
            rules, as they happen.
          </Empty>
        }
        footer={
          <Pager
            page={connection?.pageInfo}
            keyset={keyset}
            total={connection?.totalCount}
            noun="webhooks"
          />
        }
      />
      {open?.command === "add" && <AddWebhook onSecret={show} onClose={close} />}
      {open?.command === "secret" && <Secret {...open} onClose={close} />}
      {open?.command === "edit" && <EditWebhook {...open} onDone={done} onClose={close} />}
      {open?.command === "rotate" && <RotateSecret {...open} onSecret={show} onClose={close} />}
      {open?.command === "delete" && <DeleteWebhook {...open} onDone={done} onClose={close} />}
      {open?.command === "deliveries" && <Deliveries {...open} onClose={close} />}
    </Page>
  );
}

function useTest(open: (open: Open) => void) {
  const send = useAct(TestWebhookDocument);
  const notice = useNotice();
  return (webhook: WebhookRowFragment) =>
    send({ input: { id: webhook.id } }).then(
      () => open({ command: "deliveries", webhook }),
      (refused: Error) => notice(refused.message),
    );
}

function columnsOf(
  open: (open: Open) => void,
  test: (webhook: WebhookRowFragment) => void,
): Column<WebhookRowFragment>[] {
  return [
    { label: "Webhook", render: (webhook) => <Name webhook={webhook} /> },
    { label: "Hears of", render: ({ eventTypes }) => eventTypes.map(eventWords).join("; ") },
    { label: "Events of", minor: true, render: ({ organization }) => organization?.name ?? "All" },
    { label: "State", render: (webhook) => <State webhook={webhook} /> },
    {
      label: "Actions",
      actions: true,
      render: (webhook) => (
        <RowMenu
          of={webhook.name}
          entries={[
            { label: "Send a test", icon: mdiSend, onClick: () => test(webhook) },
            ...MENU.map(([command, label, icon]) => ({
              label,
              icon,
              onClick: () => open({ command, webhook }),
            })),
          ]}
        />
      ),
    },
  ];
}

const MENU = [
  ["deliveries", "Deliveries", mdiFormatListBulleted],
  ["edit", "Edit", mdiPencil],
  ["rotate", "Rotate secret", mdiRefresh],
  ["delete", "Delete", mdiDelete],
] as const;

function Name({ webhook: { name, url } }: { webhook: WebhookRowFragment }) {
  return (
    <div>
      <Typography sx={{ fontWeight: 600 }}>{name}</Typography>
      <Typography variant="body2" color="textSecondary" sx={{ wordBreak: "break-all" }}>
        {url}
      </Typography>
    </div>
  );
}

function State({ webhook }: { webhook: WebhookRowFragment }) {
  const { enabled, disabledReason, failingSince } = webhook;
  if (!enabled) return <Chip size="small" label={disabledReason ?? "Off"} />;
  if (!failingSince) return <Chip size="small" variant="outlined" color="success" label="Active" />;
  return (
    <Chip
      size="small"
      variant="outlined"
      color="warning"
      label={`Failing since ${ago(failingSince)}`}
    />
  );
}

function Secret({ name, secret, onClose }: { name: string; secret: string; onClose: () => void }) {
  return (
    <Dialog open fullWidth maxWidth="sm" aria-labelledby="webhook-secret">
      <DialogTitle id="webhook-secret">The secret of {name}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          <Alert severity="warning">
            This is the only time it is shown. Give it to the receiver now, to verify signatures
            with.
          </Alert>
          <CopyBlock label="Signing secret" text={secret} />
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button variant="contained" onClick={onClose}>
          I have stored it
        </Button>
      </DialogActions>
    </Dialog>
  );
}
