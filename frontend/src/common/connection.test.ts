import { act, renderHook } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { goingOn, useConnection, waitBefore, watched } from "./connection";

const socket = null;
const lost = { code: 1006 };

test("a subscription goes on behind the last event that was told", () => {
  const variables: Record<string, unknown> = { filter: null, after: null };
  const sink = { next: vi.fn(), error: vi.fn(), complete: vi.fn() };
  const told = goingOn(variables, sink);

  told.next({ data: { usageEvents: { cursor: "a" } } });
  told.next({ data: { usageEvents: { reason: "TOO_SLOW" } } });
  expect(variables).toEqual({ filter: null, after: "a" });
  told.next({ data: null });
  told.next({ data: { usageEvents: { cursor: "b" } } });
  expect(variables.after).toBe("b");
  expect(sink.next).toHaveBeenCalledTimes(4);
  told.error("x");
  told.complete();
  expect(sink.error).toHaveBeenCalledWith("x");
  expect(sink.complete).toHaveBeenCalledOnce();
});

test("says when the connection is lost, and counts how often it came back", () => {
  const { result } = renderHook(useConnection);
  act(() => watched.connected(socket, undefined, false));
  expect(result.current).toEqual({ isThere: true, returns: 0 });
  act(() => watched.closed({ code: 1000 }));
  expect(result.current.isThere).toBe(true);
  act(() => watched.closed(lost));
  expect(result.current).toEqual({ isThere: false, returns: 0 });
  act(() => watched.connected(socket, undefined, true));
  expect(result.current).toEqual({ isThere: true, returns: 1 });
});

test("never waits long for a server that was away for long", () => {
  expect(waitBefore(0)).toBeLessThanOrEqual(500);
  for (const attempt of [5, 50, 5_000]) {
    expect(waitBefore(attempt)).toBeGreaterThanOrEqual(5_000);
    expect(waitBefore(attempt)).toBeLessThanOrEqual(10_000);
  }
});
