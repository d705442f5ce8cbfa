/**
 * Follows usageEvents with the graphql-ws and graphql-sse clients, and prints what each hears.
 * Usage: node subscribers.mjs HTTP_URL KEY COUNT
 */
import { createRequire } from "node:module";

const require = createRequire(new URL("../../frontend/package.json", import.meta.url));
const overSockets = require("graphql-ws").createClient;
const overEvents = require("graphql-sse").createClient;

const [url, key, count] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const authorization = `Bearer ${key}`;
const query = "subscription { usageEvents { ... on UsageEvent { record { requestedModel } } } }";
const clients = {
  ws: overSockets({
    url: url.replace("http", "ws"),
    webSocketImpl: require("ws"),
    connectionParams: { authorization },
  }),
  sse: overEvents({ url, headers: { authorization } }),
};

const follow = (name, client) =>
  new Promise((resolve, reject) => {
    const heard = [];
    const stop = client.subscribe(
      { query },
      {
        next({ data }) {
          heard.push(data.usageEvents.record.requestedModel);
          if (heard.length === count) {
            console.log(JSON.stringify({ name, heard }));
            stop();
            resolve();
          }
        },
        error: reject,
        complete: resolve,
      },
    );
  });

await Promise.all(Object.entries(clients).map(([name, client]) => follow(name, client)));
process.exit(0);
