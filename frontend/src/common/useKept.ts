/** A choice about the looks of a page, kept in this browser. */
import { useState } from "react";

export function useKept<T extends object>(name: string, initial: T) {
  const key = `fairlead:${name}`;
  const [value, setValue] = useState<T>(() => ({ ...initial, ...stored(key) }));
  function keep(part: Partial<T>) {
    const next = { ...value, ...part };
    setValue(next);
    window.localStorage.setItem(key, JSON.stringify(next));
  }
  return [value, keep] as const;
}

function stored(key: string): object {
  try {
    const found: unknown = JSON.parse(window.localStorage.getItem(key) ?? "{}");
    return typeof found === "object" && found !== null ? found : {};
  } catch {
    return {};
  }
}
