/** Shows its children to somebody signed in, and the sign-in form to everybody else. */
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import CircularProgress from "@mui/material/CircularProgress";
import Dialog from "@mui/material/Dialog";
import type { ReactNode } from "react";
import type { Session } from "./session";
import { SignIn, SignInForm } from "./SignIn";
import { useSession } from "./useSession";

interface Props {
  children: (session: Session, signOut: () => Promise<void>) => ReactNode;
}

export function SignedIn({ children }: Props) {
  const { session, ended, problem, retry, ways, signOut } = useSession();
  if (session) {
    return (
      <>
        {children(session, signOut)}
        <Dialog
          open={ended}
          maxWidth="xs"
          fullWidth
          slotProps={{ paper: { "aria-label": "Sign in again" } }}
        >
          <Box sx={{ p: 3 }}>
            <SignInForm ways={ways}>
              The session has ended. Sign in again to go on where you were; nothing on the page is
              lost.
            </SignInForm>
          </Box>
        </Dialog>
      </>
    );
  }
  if (session === null) return <SignIn ways={ways} />;
  return (
    <Box sx={{ display: "grid", placeItems: "center", minHeight: "100vh", p: 2 }}>
      {problem ? (
        <Alert severity="error" action={<Button onClick={() => void retry()}>Try again</Button>}>
          {problem}
        </Alert>
      ) : (
        <CircularProgress aria-label="Loading" />
      )}
    </Box>
  );
}
