import { afterEach, expect, test, vi } from "vitest";
import { chat, ChatError, type Served } from "./chat";
import { eventsOf } from "./events";

afterEach(() => vi.unstubAllGlobals());

const PROMPT = { model: "auto", system: "", text: "Hello", maxTokens: 5 };
const delta = (content: string) =>
  `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;

function answering(body: string, init: ResponseInit = {}) {
  const fetched = vi.fn((_path: string, _init: RequestInit) =>
    Promise.resolve(new Response(body, init)),
  );
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

async function run() {
  const served: Served[] = [];
  const pieces: string[] = [];
  const ended = await chat(PROMPT, new AbortController().signal, {
    onServed: (each) => served.push(each),
    onText: (piece) => pieces.push(piece),
  }).catch((error: unknown) => error);
  return { served, text: pieces.join(""), ended };
}

test("keeps an event that is cut anywhere until the rest of it comes", () => {
  const stream = `${delta("Hi")}: keep-alive\r\n\r\n${delta("you")}data: [DONE]\n\n`;
  for (let cut = 0; cut <= stream.length; cut += 1) {
    const first = eventsOf(stream.slice(0, cut));
    const second = eventsOf(first.rest + stream.slice(cut));
    expect([...first.events, ...second.events]).toHaveLength(3);
    expect(second.rest).toBe("");
  }
});

test("gives the text and who served it", async () => {
  const headers = {
    "x-fairlead-request-id": "r1",
    "x-fairlead-provider": "local",
    "x-fairlead-model": "small",
    "x-fairlead-attempts": "2",
  };
  const fetched = answering(`${delta("Hel")}${delta("lo")}data: [DONE]\n\n`, { headers });

  const { served, text, ended } = await run();

  expect(ended).toBeUndefined();
  expect(text).toBe("Hello");
  expect(served).toEqual([{ requestId: "r1", provider: "local", model: "small", attempts: 2 }]);
  expect(JSON.parse(String(fetched.mock.calls[0]?.[1].body))).toMatchObject({
    model: "auto",
    messages: [{ role: "user", content: "Hello" }],
    stream: true,
    max_tokens: 5,
  });
});

test("an answer that ends without its end is an error, and its text is kept", async () => {
  answering(delta("Hel"));
  const { text, ended } = await run();
  expect(text).toBe("Hel");
  expect(ended).toEqual(new ChatError("The answer broke off before its end."));
});

test("an error within the stream is told in the server's words", async () => {
  answering(`${delta("Hel")}data: {"error": {"message": "The provider broke off."}}\n\n`);
  expect((await run()).ended).toEqual(new ChatError("The provider broke off."));
});

test("a refusal is told in the server's words", async () => {
  answering('{"error": {"message": "No model is eligible."}}', { status: 503 });
  expect((await run()).ended).toEqual(new ChatError("No model is eligible."));
});
