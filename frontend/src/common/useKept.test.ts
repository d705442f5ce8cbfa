import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { useKept } from "./useKept";

afterEach(() => {
  cleanup();
  window.localStorage.clear();
});

const INITIAL = { density: "standard", widths: {} };

test("is there again when the page is opened anew, beside what was not chosen", () => {
  const { result } = renderHook(() => useKept("list", INITIAL));
  act(() => result.current[1]({ density: "compact" }));
  expect(result.current[0].density).toBe("compact");

  const again = renderHook(() => useKept("list", INITIAL));
  expect(again.result.current[0]).toEqual({ density: "compact", widths: {} });
});

test.each(["{", "7", "null"])("is as at first where %s was kept", (kept) => {
  window.localStorage.setItem("fairlead:list", kept);
  expect(renderHook(() => useKept("list", INITIAL)).result.current[0]).toEqual(INITIAL);
});
