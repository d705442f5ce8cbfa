/** The web app's entry. */
import CssBaseline from "@mui/material/CssBaseline";
import { ThemeProvider } from "@mui/material/styles";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { RouterProvider } from "react-router/dom";
import { Provider } from "urql";
import { client } from "./common/client";
import { Notices } from "./common/Notices";
import { ViewerContext } from "./common/viewer";
import { SignedIn } from "./session/SignedIn";
import { router } from "./shell/routes";
import { SignOutContext } from "./shell/signOut";
import { theme } from "./theme";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <ThemeProvider theme={theme} defaultMode="system">
      <CssBaseline />
      <SignedIn>
        {(session, signOut) => (
          <ViewerContext value={session}>
            <SignOutContext value={signOut}>
              <Provider value={client}>
                <Notices>
                  <RouterProvider router={router} />
                </Notices>
              </Provider>
            </SignOutContext>
          </ViewerContext>
        )}
      </SignedIn>
    </ThemeProvider>
  </StrictMode>,
);
