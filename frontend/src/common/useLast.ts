/** What was there last, while the next is on its way: a page that is turned does not blink. */
import { useState } from "react";

export function useLast<T>(value: T | undefined): T | undefined {
  const [last, setLast] = useState(value);
  if (value !== undefined && value !== last) setLast(value);
  return value ?? last;
}
