/** One prompt through /v1 as any application would send it, by the session's cookie. */
import { credential } from "../../session/credential";
import { SESSION_ENDED } from "../../session/session";
import { eventsOf } from "./events";

export interface Prompt {
  model: string;
  system: string;
  text: string;
  maxTokens: number | null;
}

export interface Served {
  requestId: string;
  provider: string | null;
  model: string | null;
  attempts: number;
}

/** What keeps a prompt from a whole answer, in the server's words. */
export class ChatError extends Error {
  /** As the guides name it, in small letters. */
  readonly code: string | undefined;

  constructor(message: string, code?: string | null) {
    super(message);
    this.code = code ?? undefined;
  }
}

interface Handlers {
  onServed: (served: Served) => void;
  onText: (piece: string) => void;
}

interface Chunk {
  error?: { message: string; code?: string | null };
  choices?: { delta?: { content?: string | null } }[];
}

/** Resolves once the answer is whole. Throws ChatError, or AbortError when stopped. */
export async function chat(prompt: Prompt, signal: AbortSignal, handlers: Handlers): Promise<void> {
  const response = await fetch("/v1/chat/completions", {
    method: "POST",
    headers: { "content-type": "application/json", ...credential.headers },
    credentials: credential.cookie,
    body: JSON.stringify(bodyOf(prompt)),
    signal,
  });
  const served = servedBy(response.headers);
  if (served) handlers.onServed(served);
  if (!response.ok || !response.body) throw await refusal(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    // A stream is read in its order.
    // oxlint-disable-next-line no-await-in-loop
    const { value, done } = await reader.read();
    if (done) throw new ChatError("The answer broke off before its end.");
    const found = eventsOf(rest + value);
    rest = found.rest;
    for (const event of found.events) {
      if (event === "[DONE]") return;
      handlers.onText(pieceOf(event));
    }
  }
}

function bodyOf({ model, system, text, maxTokens }: Prompt) {
  const instructions = system.trim() ? [{ role: "system", content: system }] : [];
  return {
    model,
    messages: [...instructions, { role: "user", content: text }],
    stream: true,
    stream_options: { include_usage: true },
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
  };
}

function servedBy(headers: Headers): Served | null {
  const requestId = headers.get("x-fairlead-request-id");
  if (!requestId) return null;
  return {
    requestId,
    provider: headers.get("x-fairlead-provider"),
    model: headers.get("x-fairlead-model"),
    attempts: Number(headers.get("x-fairlead-attempts") ?? 0),
  };
}

function pieceOf(event: string): string {
  const chunk = JSON.parse(event) as Chunk;
  if (chunk.error) throw new ChatError(chunk.error.message, chunk.error.code);
  return chunk.choices?.[0]?.delta?.content ?? "";
}

async function refusal(response: Response): Promise<ChatError> {
  if (response.status === 401) window.dispatchEvent(new Event(SESSION_ENDED));
  const body = (await response.json().catch(() => null)) as Chunk | null;
  const { message, code } = body?.error ?? {};
  return new ChatError(message ?? `The server answered ${response.status}.`, code);
}
