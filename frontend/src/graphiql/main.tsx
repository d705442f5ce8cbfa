/** GraphiQL as a page of its own: Monaco and its workers never enter the app's bundle. */
import "graphiql/setup-workers/vite";
import "graphiql/style.css";
import "./page.css";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import CssBaseline from "@mui/material/CssBaseline";
import { ThemeProvider } from "@mui/material/styles";
import { GraphiQL } from "graphiql";
import { createClient } from "graphql-ws";
import { createRoot } from "react-dom/client";
import { credential } from "../session/credential";
import { SignedIn } from "../session/SignedIn";
import { theme } from "../theme";

const WELCOME = `# Fairlead's GraphQL API. The documentation is behind the book on the left.
{
  viewer {
    user {
      name
    }
  }
  providers(first: 10) {
    edges {
      node {
        slug
        name
        enabled
      }
    }
  }
}
`;

const fetcher = createGraphiQLFetcher({
  url: "/graphql",
  fetch: (input, init) =>
    fetch(input, {
      ...init,
      headers: { ...init?.headers, ...credential.headers },
      credentials: credential.cookie,
    }),
  wsClient: createClient({
    url: `${window.location.origin.replace(/^http/, "ws")}/graphql`,
    connectionParams: () => credential.headers,
  }),
});

createRoot(document.getElementById("root")!).render(
  <ThemeProvider theme={theme}>
    <CssBaseline />
    <SignedIn>{() => <GraphiQL fetcher={fetcher} defaultQuery={WELCOME} />}</SignedIn>
  </ThemeProvider>,
);
