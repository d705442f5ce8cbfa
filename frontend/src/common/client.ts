/** The GraphQL client: queries over HTTP, subscriptions over one WebSocket, both as whoever is signed in. */
import { createClient as createSocket } from "graphql-ws";
import {
  Client,
  type CombinedError,
  cacheExchange,
  fetchExchange,
  mapExchange,
  subscriptionExchange,
} from "urql";
import { credential } from "../session/credential";
import { SESSION_ENDED } from "../session/session";
import { goingOn, waitBefore, watched } from "./connection";
import { rateExchange } from "./rate";

const socket = createSocket({
  url: `${window.location.origin.replace(/^http/, "ws")}/graphql`,
  connectionParams: () => credential.headers,
  shouldRetry: () => true,
  retryAttempts: Infinity,
  retryWait: (attempt) => new Promise((go) => setTimeout(go, waitBefore(attempt))),
  on: watched,
});

export const client = new Client({
  url: "/graphql",
  preferGetMethod: false,
  fetchOptions: () => ({
    headers: { accept: "application/graphql-response+json", ...credential.headers },
    credentials: credential.cookie,
  }),
  requestPolicy: "cache-and-network",
  exchanges: [
    mapExchange({
      onError(error) {
        if (isSessionEnd(error)) window.dispatchEvent(new Event(SESSION_ENDED));
      },
    }),
    cacheExchange,
    rateExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => {
          const asked = { query: query ?? "", variables: { ...variables } };
          return { unsubscribe: socket.subscribe(asked, goingOn(asked.variables, sink)) };
        },
      }),
    }),
  ],
});

function isSessionEnd(error: CombinedError): boolean {
  return error.graphQLErrors.some((each) => each.extensions.code === "UNAUTHENTICATED");
}

/** What went wrong, in the server's words where it said any. */
export function messageOf(error: CombinedError): string {
  if (error.networkError) return "The server cannot be reached. It may be restarting.";
  return error.graphQLErrors.map((each) => each.message).join(" ") || error.message;
}
