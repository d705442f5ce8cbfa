/** A prompt that is being answered, as React state. */
import { useCallback, useEffect, useRef, useState } from "react";
import { chat, type ChatError, type Prompt, type Served } from "./chat";

export interface Answer {
  text: string;
  served: Served | null;
  state: "idle" | "answering" | "done" | "stopped" | "failed";
  problem: { message: string; code?: string } | null;
}

const IDLE: Answer = { text: "", served: null, state: "idle", problem: null };

export function useChat() {
  const [answer, setAnswer] = useState(IDLE);
  const running = useRef<AbortController | null>(null);
  const stop = useCallback(() => running.current?.abort(), []);
  useEffect(() => stop, [stop]);

  const send = useCallback(async (prompt: Prompt) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    // What an earlier prompt still brings is no longer shown.
    const update = (change: (answer: Answer) => Answer) => {
      if (running.current === controller) setAnswer(change);
    };
    setAnswer({ ...IDLE, state: "answering" });
    try {
      await chat(prompt, controller.signal, {
        onServed: (served) => update((known) => ({ ...known, served })),
        onText: (piece) => update((known) => ({ ...known, text: known.text + piece })),
      });
      update((known) => ({ ...known, state: "done" }));
    } catch (error) {
      const { message, code } = error as ChatError;
      update((known) =>
        controller.signal.aborted
          ? { ...known, state: "stopped" }
          : { ...known, state: "failed", problem: { message, code } },
      );
    }
  }, []);

  return { answer, send, stop };
}
