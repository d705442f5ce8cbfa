import { ApolloServer } from "@apollo/server";
import { startStandaloneServer } from "@apollo/server/standalone";
import { context, port, resolvers, typeDefs } from "./database.mjs";

const server = new ApolloServer({ typeDefs, resolvers, csrfPrevention: true });
await startStandaloneServer(server, {
  listen: { port, host: "127.0.0.1" },
  context: async () => context(),
});
