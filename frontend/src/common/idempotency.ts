/** Keys with which something is asked for once, however often it is sent. */
import { useState } from "react";

/** Random, also where the page is not served over https. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (each) => each.toString(16).padStart(2, "0")).join("");
}

/** One for as long as the form is open: sending it again after a lost answer does nothing twice. */
export function useIdempotencyKey(): string {
  return useState(newKey)[0];
}
