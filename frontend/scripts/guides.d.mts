/** Types of guides.mjs. */
import type { Plugin } from "vite";

export function pageOf(markdown: string): {
  html: string;
  sections: readonly (readonly [string, string])[];
};
export function guides(): Plugin;
