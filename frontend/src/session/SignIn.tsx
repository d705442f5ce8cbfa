/** The form that exchanges an API key for a session. */
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Paper from "@mui/material/Paper";
import Stack from "@mui/material/Stack";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { type FormEvent, type ReactNode, useState } from "react";

interface Props {
  signIn: (key: string) => Promise<void>;
}

export function SignIn({ signIn }: Props) {
  return (
    <Box component="main" sx={{ display: "grid", placeItems: "center", minHeight: "100vh", p: 2 }}>
      <Paper variant="outlined" sx={{ p: 4, width: "100%", maxWidth: 440 }}>
        <SignInForm signIn={signIn}>
          Sign in with an API key. The first start printed one for the administrator.
        </SignInForm>
      </Paper>
    </Box>
  );
}

export function SignInForm({ signIn, children }: Props & { children: ReactNode }) {
  const [key, setKey] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await signIn(key.trim());
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  }

  return (
    <Stack component="form" spacing={2.5} onSubmit={submit}>
      <Stack direction="row" spacing={1.5} sx={{ alignItems: "center" }}>
        <img src="/favicon.svg" alt="" width={36} height={36} />
        <Typography variant="h1">Fairlead</Typography>
      </Stack>
      <Typography color="textSecondary">{children}</Typography>
      {problem && <Alert severity="error">{problem}</Alert>}
      <TextField
        label="API key"
        type="password"
        placeholder="fl_…"
        autoComplete="current-password"
        autoFocus
        required
        fullWidth
        value={key}
        onChange={(event) => setKey(event.target.value)}
      />
      <Button type="submit" variant="contained" size="large" loading={busy}>
        Sign in
      </Button>
      <Typography variant="body2" color="textSecondary">
        No key at hand? On the server:{" "}
        <Box component="code" sx={{ wordBreak: "break-word" }}>
          .venv/bin/python -m fairlead keys create --admin
        </Box>
      </Typography>
    </Stack>
  );
}
