/** The web app's entry. */
import CssBaseline from "@mui/material/CssBaseline";
import { ThemeProvider } from "@mui/material/styles";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Home } from "./home/Home";
import { SignedIn } from "./session/SignedIn";
import { theme } from "./theme";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ThemeProvider theme={theme}>
      <CssBaseline />
      <SignedIn>{(session, signOut) => <Home session={session} signOut={signOut} />}</SignedIn>
    </ThemeProvider>
  </StrictMode>,
);
