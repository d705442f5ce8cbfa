/** The API Keys tab: what signs in to /v1 and to GraphQL. */
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import FormControlLabel from "@mui/material/FormControlLabel";
import Stack from "@mui/material/Stack";
import Switch from "@mui/material/Switch";
import Typography from "@mui/material/Typography";
import {
  mdiCancel,
  mdiCubeOutline,
  mdiKeyOutline,
  mdiPencil,
  mdiPlus,
  mdiRefresh,
  mdiSpeedometer,
} from "@mdi/js";
import { useMemo, useState } from "react";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { ago, when, words } from "../../common/format";
import { Icon } from "../../common/Icon";
import { type Column, ListTable } from "../../common/ListTable";
import { useNotice } from "../../common/notice";
import { Page } from "../../common/Page";
import { Pager } from "../../common/Pager";
import { RowMenu } from "../../common/RowMenu";
import { Empty } from "../../common/states";
import { useKeyset } from "../../common/useKeyset";
import { useIsAdmin } from "../../common/viewer";
import { ApiKeysDocument, type ApiKeysQuery } from "../../gql/apikey";
import { LimitsDialog } from "../limit/LimitsDialog";
import { AllowedModels } from "./AllowedModels";
import { CreateKey, NewKey } from "./CreateKey";
import { Rename, Revoke, RotateKey } from "./KeyChanges";

const PAGE = 25;

type Command = "models" | "limits" | "rename" | "rotate" | "revoke";
export type ApiKey = ApiKeysQuery["apiKeys"]["nodes"][number];
type Open =
  | { command: "create" }
  | { command: "shown"; name: string; secret: string }
  | { command: Command; key: ApiKey };

export function ApiKeys() {
  const isAdmin = useIsAdmin();
  const [everybody, setEverybody] = useState(false);
  const keyset = useKeyset(PAGE);
  const variables = { isAdmin, filter: { everybody }, ...keyset.position };
  const context = useMemo(() => ({ additionalTypenames: ["ApiKey"] }), []);
  const [{ data, error }, refetch] = useQuery({ query: ApiKeysDocument, variables, context });
  const refresh = () => refetch({ requestPolicy: "network-only" });
  const [open, setOpen] = useState<Open | null>(null);
  const notice = useNotice();
  const close = () => setOpen(null);

  function done(text: string) {
    close();
    notice(text);
    refresh();
  }

  const connection = data?.apiKeys;
  const create = (
    <Button
      variant="contained"
      startIcon={<Icon path={mdiPlus} />}
      onClick={() => setOpen({ command: "create" })}
    >
      Create a key
    </Button>
  );

  return (
    <Page title="API Keys" about="What applications send to sign in." actions={create}>
      {isAdmin && (
        <FormControlLabel
          label="Everybody's keys"
          control={
            <Switch
              checked={everybody}
              onChange={(_, checked) => {
                setEverybody(checked);
                keyset.restart();
              }}
            />
          }
        />
      )}
      <ListTable
        label="API keys"
        columns={columnsOf(everybody, (command, key) => setOpen({ command, key }))}
        rows={connection?.nodes}
        keyOf={({ id }) => id}
        problem={error && !connection ? messageOf(error) : null}
        retry={refresh}
        empty={
          <Empty
            icon={mdiKeyOutline}
            title="No key yet"
            action={create}
            guide="first-steps#let-an-application-in"
          >
            An application needs a key to send requests. Make one for each, so that its spend can be
            told apart and it can be revoked alone.
          </Empty>
        }
        footer={
          <Pager
            page={connection?.pageInfo}
            keyset={keyset}
            total={connection?.totalCount}
            noun="keys"
          />
        }
      />
      {open?.command === "create" && (
        <CreateKey
          onClose={close}
          onCreated={(made) => {
            setOpen({ command: "shown", ...made });
            refresh();
          }}
        />
      )}
      {open?.command === "shown" && <NewKey {...open} onClose={close} />}
      {open?.command === "models" && <AllowedModels apiKey={open.key} onClose={close} />}
      {open?.command === "rotate" && (
        <RotateKey
          apiKey={open.key}
          onClose={close}
          onRotated={(made) => {
            setOpen({ command: "shown", ...made });
            refresh();
          }}
        />
      )}
      {open?.command === "limits" && (
        <LimitsDialog owner={open.key.id} name={open.key.name} onDone={done} onClose={close} />
      )}
      {open?.command === "rename" && <Rename apiKey={open.key} onDone={done} onClose={close} />}
      {open?.command === "revoke" && <Revoke apiKey={open.key} onDone={done} onClose={close} />}
    </Page>
  );
}

const COLOURS = { ACTIVE: "success", EXPIRED: "warning", REVOKED: "default" } as const;

function columnsOf(
  everybody: boolean,
  run: (command: Command, key: ApiKey) => void,
): Column<ApiKey>[] {
  const owner: Column<ApiKey> = { label: "Whose", render: ({ user }) => user?.name ?? "–" };
  return [
    { label: "Key", render: (key) => <Name apiKey={key} /> },
    ...(everybody ? [owner] : []),
    {
      label: "State",
      render: ({ state }) => (
        <Chip size="small" variant="outlined" color={COLOURS[state]} label={words(state)} />
      ),
    },
    { label: "May", render: ({ scopes }) => scopes.map(words).join(", ") },
    { label: "Created", minor: true, render: ({ createdAt }) => ago(createdAt) },
    { label: "Expires", render: ({ expiresAt }) => (expiresAt ? when(expiresAt) : "Never") },
    { label: "Actions", actions: true, render: (key) => <Actions apiKey={key} run={run} /> },
  ];
}

function Name({ apiKey }: { apiKey: ApiKey }) {
  return (
    <Stack>
      <Typography sx={{ fontWeight: 600 }}>{apiKey.name}</Typography>
      <Typography variant="body2" color="textSecondary" component="code">
        {apiKey.prefix}…
      </Typography>
      {apiKey.previousUntil && new Date(apiKey.previousUntil) > new Date() && (
        <Typography variant="caption" color="textSecondary">
          The text before it works until {when(apiKey.previousUntil)}
        </Typography>
      )}
    </Stack>
  );
}

interface ActionsProps {
  apiKey: ApiKey;
  run: (command: Command, key: ApiKey) => void;
}

function Actions({ apiKey, run }: ActionsProps) {
  const rename = { label: "Rename", icon: mdiPencil, onClick: () => run("rename", apiKey) };
  const revoke = { label: "Revoke", icon: mdiCancel, onClick: () => run("revoke", apiKey) };
  const models = { label: "Models", icon: mdiCubeOutline, onClick: () => run("models", apiKey) };
  const rotate = { label: "Rotate", icon: mdiRefresh, onClick: () => run("rotate", apiKey) };
  const isLive = apiKey.state === "ACTIVE";
  const isRevoked = apiKey.state === "REVOKED";
  const limits = { label: "Limits", icon: mdiSpeedometer, onClick: () => run("limits", apiKey) };
  const entries = [
    models,
    limits,
    rename,
    ...(isLive ? [rotate] : []),
    ...(isRevoked ? [] : [revoke]),
  ];
  return <RowMenu of={apiKey.name} entries={entries} />;
}
