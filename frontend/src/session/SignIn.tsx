/** The form that signs somebody in: with the identity provider, where there is one, or by key. */
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Divider from "@mui/material/Divider";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type FormEvent, type ReactNode, useState } from "react";
import type { SignInWays } from "./useSession";

interface Props {
  ways: SignInWays;
}

export function SignIn({ ways }: Props) {
  return (
    <Box component="main" sx={{ display: "grid", placeItems: "center", minHeight: "100vh", p: 2 }}>
      <Paper variant="outlined" sx={{ p: 4, width: "100%", maxWidth: 440 }}>
        <SignInForm ways={ways}>
          {ways.byProvider
            ? "Sign in with your organisation's account, or with an API key."
            : "Sign in with an API key. The first start printed one for the administrator."}
        </SignInForm>
      </Paper>
    </Box>
  );
}

export function SignInForm({ ways, children }: Props & { children: ReactNode }) {
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState<"key" | "provider" | null>(null);
  const { byKey, byProvider } = ways;

  async function attempt(way: "key" | "provider", signIn: () => Promise<void>) {
    setBusy(way);
    setProblem(null);
    try {
      await signIn();
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(null);
    }
  }

  return (
    <Stack spacing={2.5}>
      <Stack direction="row" spacing={1.5} sx={{ alignItems: "center" }}>
        <img src="/favicon.svg" alt="" width={36} height={36} />
        <Typography variant="h1">Fairlead</Typography>
      </Stack>
      <Typography color="textSecondary">{children}</Typography>
      {problem && <Alert severity="error">{problem}</Alert>}
      {byProvider && (
        <>
          <Button
            variant="contained"
            size="large"
            autoFocus
            loading={busy === "provider"}
            onClick={() => void attempt("provider", byProvider)}
          >
            Sign in
          </Button>
          <Divider>or</Divider>
        </>
      )}
      <KeyForm
        second={byProvider !== null}
        busy={busy === "key"}
        onSubmit={(key) => void attempt("key", () => byKey(key))}
      />
    </Stack>
  );
}

interface KeyFormProps {
  second: boolean;
  busy: boolean;
  onSubmit: (key: string) => void;
}

function KeyForm({ second, busy, onSubmit }: KeyFormProps) {
  const [key, setKey] = useState("");

  function submit(event: FormEvent) {
    event.preventDefault();
    onSubmit(key.trim());
  }

  return (
    <Stack component="form" spacing={2.5} onSubmit={submit}>
      <TextField
        label="API key"
        type="password"
        placeholder="fl_…"
        autoComplete="current-password"
        autoFocus={!second}
        required
        fullWidth
        value={key}
        onChange={(event) => setKey(event.target.value)}
      />
      <Button type="submit" variant={second ? "outlined" : "contained"} size="large" loading={busy}>
        {second ? "Sign in with a key" : "Sign in"}
      </Button>
      {!second && (
        <Typography variant="body2" color="textSecondary">
          No key at hand? On the server:{" "}
          <Box component="code" sx={{ wordBreak: "break-word" }}>
            .venv/bin/python -m fairlead keys create --admin
          </Box>
          , in a container{" "}
          <Box component="code" sx={{ wordBreak: "break-word" }}>
            fairlead keys create --admin
          </Box>
        </Typography>
      )}
    </Stack>
  );
}
