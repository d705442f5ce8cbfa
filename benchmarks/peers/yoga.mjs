import { createServer } from "node:http";
import { createSchema, createYoga } from "graphql-yoga";
import { context, port, resolvers, typeDefs } from "./database.mjs";

const yoga = createYoga({
  schema: createSchema({ typeDefs, resolvers }),
  context: () => context(),
  graphqlEndpoint: "/graphql",
  logging: false,
});
createServer(yoga).listen(port, "127.0.0.1");
