/** Make an API key, and show its text this once. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Checkbox from "@mui/material/Checkbox";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import FormControl from "@mui/material/FormControl";
import FormControlLabel from "@mui/material/FormControlLabel";
import FormGroup from "@mui/material/FormGroup";
import FormLabel from "@mui/material/FormLabel";
import Stack from "@mui/material/Stack";
import { useState } from "react";
import { useQuery } from "urql";
import { CopyBlock } from "../../common/CopyBlock";
import { Choice, Field } from "../../common/fields";
import { FormDialog } from "../../common/FormDialog";
import { namesOf } from "../../common/names";
import { Refused, useAct } from "../../common/useAct";
import { useIsAdmin } from "../../common/viewer";
import {
  CreateApiKeyDocument,
  IssueApiKeyDocument,
  KeyScopesDocument,
  type Scope,
} from "../../gql/apikey";
import { type Owner, OwnerFields } from "./OwnerFields";

const SCOPES: readonly (readonly [Scope, string])[] = [
  ["INFERENCE", "Send requests to /v1"],
  ["READ", "Read over GraphQL"],
  ["MANAGE", "Change over GraphQL"],
];
const LIFETIMES = [
  ["", "Never"],
  ["30", "In 30 days"],
  ["90", "In 90 days"],
  ["365", "In a year"],
] as const;
type Lifetime = (typeof LIFETIMES)[number][0];
const REPEATS = [
  ["", "Asked anew each time"],
  ["300", "Answered from the cache for 5 minutes"],
  ["3600", "Answered from the cache for an hour"],
  ["86400", "Answered from the cache for a day"],
] as const;
type Repeats = (typeof REPEATS)[number][0];
const DAY_MS = 86_400_000;

interface Props {
  onCreated: (made: { name: string; secret: string }) => void;
  onClose: () => void;
}

export function CreateKey({ onCreated, onClose }: Props) {
  const [{ data }] = useQuery({ query: KeyScopesDocument });
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["INFERENCE"]);
  const [days, setDays] = useState<Lifetime>("90");
  const [repeats, setRepeats] = useState<Repeats>("");
  const [models, setModels] = useState("");
  const [owner, setOwner] = useState<Owner | null>(null);
  const [organization, setOrganization] = useState("");
  const create = useAct(CreateApiKeyDocument);
  const issue = useAct(IssueApiKeyDocument);

  async function save() {
    const allowed = namesOf(models);
    const expiresAt = inDays(days);
    const allowedModels = allowed.length > 0 ? allowed : null;
    const cacheSeconds = repeats ? Number(repeats) : null;
    const wanted = { name, scopes: [...scopes], expiresAt, allowedModels, cacheSeconds };
    const { secret } = await (owner
      ? issue({ input: { user: owner.id, organization: organization || null, ...wanted } })
      : create({ input: wanted }));
    if (secret === null) throw new Refused({ message: "The key was made before; revoke it." });
    onCreated({ name, secret });
  }

  return (
    <FormDialog
      title="Create an API key"
      submitLabel="Create"
      fields={["name", "expiresAt", "allowedModels", "cacheSeconds", "organization"]}
      onSubmit={save}
      onClose={onClose}
    >
      <Field
        name="name"
        label="Name"
        required
        autoFocus
        value={name}
        onChange={setName}
        helperText="To tell it from others, for example the application that uses it."
      />
      {useIsAdmin() && <OwnerFields {...{ owner, setOwner, organization, setOrganization }} />}
      <Scopes mine={data?.viewer.scopes} scopes={scopes} setScopes={setScopes} />
      <Choice
        name="expiresAt"
        label="Expires"
        value={days}
        onChange={setDays}
        options={LIFETIMES}
        helperText="A key cannot outlive the key you signed in with."
        slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
      />
      <Choice
        name="cacheSeconds"
        label="Exact repeats of a request"
        value={repeats}
        onChange={setRepeats}
        options={REPEATS}
        helperText="From the cache they cost nothing, and say the same again."
        slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
      />
      <Field
        name="allowedModels"
        label="Only these models (optional)"
        multiline
        minRows={2}
        value={models}
        onChange={setModels}
        helperText="References, model names or aliases, by comma or line. Empty: any."
      />
    </FormDialog>
  );
}

interface ScopesProps {
  /** Those of this sign-in: a key has no others. */
  mine: readonly Scope[] | undefined;
  scopes: readonly Scope[];
  setScopes: (scopes: readonly Scope[]) => void;
}

function Scopes({ mine, scopes, setScopes }: ScopesProps) {
  return (
    <FormControl component="fieldset">
      <FormLabel component="legend">May be used to</FormLabel>
      <FormGroup>
        {SCOPES.filter(([scope]) => mine?.includes(scope) ?? true).map(([scope, label]) => (
          <FormControlLabel
            key={scope}
            label={label}
            control={
              <Checkbox
                checked={scopes.includes(scope)}
                onChange={(_, checked) => {
                  const others = scopes.filter((each) => each !== scope);
                  setScopes(checked ? [...others, scope] : others);
                }}
              />
            }
          />
        ))}
      </FormGroup>
    </FormControl>
  );
}

function inDays(days: Lifetime): string | null {
  return days ? new Date(Date.now() + Number(days) * DAY_MS).toISOString() : null;
}

interface ShownProps {
  name: string;
  secret: string;
  onClose: () => void;
}

export function NewKey({ name, secret, onClose }: ShownProps) {
  return (
    <Dialog open fullWidth maxWidth="sm" aria-labelledby="new-key">
      <DialogTitle id="new-key">The key {name}</DialogTitle>
      <DialogContent>
        <Stack spacing={2}>
          <Alert severity="warning">
            This is the only time it is shown. Store it now: it cannot be found again.
          </Alert>
          <CopyBlock label="API key" text={secret} />
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
