/**
 * OpenAI's own client for Node before the data plane: prints what it made of each provider, as JSON.
 * Usage: node tests/gateway/sdk/judge.mjs '{"baseURL": …, "apiKey": …, "providers": [slug, …], "embedders": [slug, …]}'
 */
import { createRequire } from "node:module";

const require = createRequire(new URL("../../../frontend/package.json", import.meta.url));
const { OpenAI } = require("openai");

const { baseURL, apiKey, providers, embedders } = JSON.parse(process.argv[2]);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 60_000 });
const messages = [{ role: "user", content: "one two three" }];
const schema = { type: "object", properties: { city: { type: "string" } } };
const tools = ["weather", "time"].map((name) => ({
  type: "function",
  function: { name, parameters: schema },
}));
const shown = [
  {
    role: "user",
    content: [
      { type: "text", text: "What is this?" },
      { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
    ],
  },
];
const response_format = { type: "json_schema", json_schema: { name: "answer", schema } };

const told = (completion) => {
  const { message, finish_reason } = completion.choices[0];
  const calls = (message.tool_calls ?? []).map(({ function: f }) => [f.name, f.arguments]);
  const { prompt_tokens, completion_tokens, cost } = completion.usage;
  const usage = { prompt_tokens, completion_tokens, cost };
  return { content: message.content ?? "", calls, finish_reason, usage };
};

const whole = async (asked) => told(await client.chat.completions.create(asked));
const streamed = async (asked) => {
  const stream_options = { include_usage: true };
  const runner = client.chat.completions.stream({ ...asked, stream_options });
  return told(await runner.finalChatCompletion());
};

/** How many words came before the client raised; the words of a clean end are an error. */
const cut = async (model) => {
  let words = 0;
  try {
    for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
      words += chunk.choices[0]?.delta.content ? 1 : 0;
    }
  } catch (error) {
    return { raised: error instanceof OpenAI.APIError || error instanceof TypeError, words };
  }
  return { raised: false, words };
};

const judged = {};
for (const provider of providers) {
  const text = { model: `${provider}/fake-i1000-c400-o20-r5`, messages };
  const called = { model: `${provider}/fake-tools2`, messages, tools, tool_choice: "required" };
  const seen = { model: `${provider}/fake-n3`, messages: shown, response_format };
  judged[provider] = {
    text: [await whole(text), await streamed(text)],
    called: [await whole(called), await streamed(called)],
    seen: [await whole(seen), await streamed(seen)],
    cut: [],
  };
  for (let chunk = 0; chunk <= 8; chunk += 1) {
    judged[provider].cut.push(await cut(`${provider}/fake-cut${chunk}`));
  }
}
for (const provider of embedders) {
  const model = `${provider}/fake-i7`;
  const { data, usage } = await client.embeddings.create({ model, input: ["one", "two three"] });
  judged[provider] = { vectors: data.map(({ embedding }) => embedding), usage };
}
console.log(JSON.stringify(judged));
