/** Ask a provider what it serves, choose among what is new, gone or re-priced, and apply that. */
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import LinearProgress from "@mui/material/LinearProgress";
import MenuItem from "@mui/material/MenuItem";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { useState } from "react";
import { useQuery } from "urql";
import { Problem } from "../../common/states";
import { useAct } from "../../common/useAct";
import { useNarrow } from "../../common/useNarrow";
import {
  ApplyDiscoveryDocument,
  DiscoverModelsDocument,
  ProviderChoicesDocument,
} from "../../gql/model";
import { Changes } from "./Changes";
import {
  appliedText,
  AT_ONCE,
  type Change,
  type Discovered,
  entryOf,
  keyOf,
  piecesOf,
} from "./discovery";

interface Props {
  /** The provider asked at first. */
  first?: string | null;
  onDone: (text: string, provider: string) => void;
  onClose: () => void;
}

export function DiscoveryDialog({ first, onDone, onClose }: Props) {
  const [{ data }] = useQuery({ query: ProviderChoicesDocument });
  const providers = data?.providers.nodes ?? [];
  const [asked, setAsked] = useState(first ?? "");
  const provider = asked || (providers[0]?.id ?? "");
  const { found, progress, problem, discover, apply } = useDiscovery(provider, onDone);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const fullScreen = useNarrow();
  const wanted = found?.changes.filter((each) => chosen.has(keyOf(each))) ?? [];

  async function ask() {
    const answer = await discover();
    // What is gone is left alone unless somebody says so.
    const kept = answer?.changes.filter(({ kind }) => kind !== "GONE") ?? [];
    setChosen(new Set(kept.map(keyOf)));
  }

  return (
    <Dialog
      open
      onClose={onClose}
      fullWidth
      maxWidth="md"
      {...{ fullScreen }}
      aria-labelledby="discovery"
    >
      <DialogTitle id="discovery">Discover models</DialogTitle>
      <DialogContent dividers>
        <Stack spacing={2}>
          <Stack direction={{ xs: "column", sm: "row" }} spacing={1.5}>
            <TextField
              select
              size="small"
              label="Provider"
              value={provider}
              onChange={(event) => setAsked(event.target.value)}
              sx={{ flexGrow: 1 }}
            >
              {providers.map(({ id, name, slug }) => (
                <MenuItem key={id} value={id}>
                  {name} ({slug})
                </MenuItem>
              ))}
            </TextField>
            <Button
              variant="outlined"
              disabled={!provider || progress !== null}
              onClick={() => void ask()}
            >
              Ask what it serves
            </Button>
          </Stack>
          {progress && (
            <div role="status">
              <Typography variant="body2">{progress.text}</Typography>
              <LinearProgress
                aria-label={progress.text}
                variant={progress.share === null ? "indeterminate" : "determinate"}
                value={(progress.share ?? 0) * 100}
              />
            </div>
          )}
          {problem && <Problem message={problem} />}
          {found && !progress && <Found {...{ found, chosen, setChosen }} />}
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
        <Button
          variant="contained"
          disabled={wanted.length === 0 || progress !== null}
          onClick={() => void apply(wanted)}
        >
          Apply {wanted.length > 0 && wanted.length.toLocaleString()}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

interface FoundProps {
  found: Discovered;
  chosen: ReadonlySet<string>;
  setChosen: (chosen: ReadonlySet<string>) => void;
}

function Found({ found, chosen, setChosen }: FoundProps) {
  const { changes, changeCount, listedCount } = found;
  if (changes.length === 0) {
    return (
      <Alert severity="success">
        The catalogue is up to date with the {listedCount.toLocaleString()} models it lists.
      </Alert>
    );
  }
  return (
    <>
      {changeCount > changes.length && (
        <Alert severity="info">
          The first {changes.length} of {changeCount.toLocaleString()} differences. Apply some of
          them and ask again for the rest.
        </Alert>
      )}
      <Changes changes={changes} chosen={chosen} onChoose={setChosen} />
    </>
  );
}

interface Progress {
  text: string;
  /** Null while it cannot be told. */
  share: number | null;
}

function useDiscovery(provider: string, onDone: (text: string, provider: string) => void) {
  const [found, setFound] = useState<Discovered | null>(null);
  const [progress, setProgress] = useState<Progress | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const ask = useAct(DiscoverModelsDocument);
  const send = useAct(ApplyDiscoveryDocument);

  async function discover() {
    setProblem(null);
    setProgress({ text: "Asking the provider …", share: null });
    try {
      const answer = await ask({ input: { provider } });
      setFound(answer);
      return answer;
    } catch (error) {
      setFound(null);
      setProblem((error as Error).message);
      return null;
    } finally {
      setProgress(null);
    }
  }

  async function apply(changes: readonly Change[]) {
    let done = 0;
    try {
      for (const piece of piecesOf(changes, AT_ONCE)) {
        setProgress({ text: `Applied ${done} of ${changes.length}`, share: done / changes.length });
        // One after the other: what fails leaves the earlier ones applied, and says so.
        // oxlint-disable-next-line no-await-in-loop
        await send({ input: { provider, entries: piece.map(entryOf) } });
        done += piece.length;
      }
      onDone(appliedText(changes), provider);
    } catch (error) {
      setProblem(`${done} of ${changes.length} were applied. ${(error as Error).message}`);
    } finally {
      setProgress(null);
    }
  }

  return { found, progress, problem, discover, apply };
}
