/** What every peer reads: models by id, and providers by their ids through a dataloader. */
import DataLoader from "dataloader";
import pg from "pg";

export const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
export const port = Number(process.env.PORT);

export const typeDefs = /* GraphQL */ `
  type Provider {
    id: ID!
    slug: String!
    name: String!
    type: String!
    enabled: Boolean!
    version: Int!
  }
  type Model {
    id: ID!
    name: String!
    displayName: String!
    canonicalName: String!
    contextLength: Int
    enabled: Boolean!
    quality: Float
    provider: Provider!
  }
  type Query {
    models(first: Int!): [Model!]!
  }
`;

const MODELS =
  'SELECT id, name, display_name AS "displayName", canonical_name AS "canonicalName",' +
  ' context_length AS "contextLength", enabled, quality, provider_id FROM llm_models' +
  " ORDER BY id LIMIT $1";
const PROVIDERS =
  "SELECT id, slug, name, type, enabled, version FROM llm_providers WHERE id = ANY($1::uuid[])";

export const resolvers = {
  Query: {
    models: async (_, { first }) =>
      (await pool.query({ name: "models", text: MODELS, values: [first] })).rows,
  },
  Model: { provider: (model, _, { providers }) => providers.load(model.provider_id) },
};

export const context = () => ({
  providers: new DataLoader(async (ids) => {
    const { rows } = await pool.query({ name: "providers", text: PROVIDERS, values: [ids] });
    const found = new Map(rows.map((row) => [row.id, row]));
    return ids.map((id) => found.get(id));
  }),
});
