/** The one WebSocket: whether it is there, and how subscriptions go on when it comes back. */
import { useState, useSyncExternalStore } from "react";

interface Connection {
  isThere: boolean;
  /** How often it came back: what was shown meanwhile may be old. */
  returns: number;
}

const ENDED_IN_ORDER = 1_000;
const LONGEST_WAIT_MS = 10_000;

let now: Connection = { isThere: true, returns: 0 };
const listeners = new Set<() => void>();

function become(next: Connection) {
  now = next;
  listeners.forEach((listener) => listener());
}

/** Of a server that restarts: soon at first, never longer than ten seconds, not all at once. */
export function waitBefore(attempt: number): number {
  return Math.min(500 * 2 ** attempt, LONGEST_WAIT_MS) * (0.5 + Math.random() / 2);
}

export const watched = {
  connected: (_socket: unknown, _payload: unknown, isRetry: boolean) =>
    become({ isThere: true, returns: now.returns + (isRetry ? 1 : 0) }),
  closed: (event: unknown) => {
    const { code } = event as CloseEvent;
    if (code !== ENDED_IN_ORDER) become({ ...now, isThere: false });
  },
};

/** `returns` counts from when whoever asks came to be. */
export function useConnection(): Connection {
  const { isThere, returns } = useSyncExternalStore(subscribe, () => now);
  const [before] = useState(returns);
  return { isThere, returns: returns - before };
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

interface Sink {
  next(value: { data?: unknown }): void;
  error(error: unknown): void;
  complete(): void;
}

/**
 * Keeps the cursor of the last event in `variables`, which are sent anew with each connection: so
 * nothing is missed between one and the next.
 */
export function goingOn<S extends Sink>(variables: Record<string, unknown>, sink: S): S {
  return {
    ...sink,
    next(value: { data?: unknown }) {
      const [event] = Object.values((value.data ?? {}) as Record<string, unknown>);
      const { cursor } = (event ?? {}) as { cursor?: unknown };
      if (typeof cursor === "string") variables.after = cursor;
      sink.next(value);
    },
    error: (error: unknown) => sink.error(error),
    complete: () => sink.complete(),
  };
}
