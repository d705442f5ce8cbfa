/** The guides of docs/ that are pages of the app. */
import contents from "virtual:guides";

export interface Guide {
  html: string;
  /** Id and title of each section. */
  sections: readonly (readonly [string, string])[];
}

export const GUIDES: readonly (readonly [string, string])[] = contents;

const FILES = import.meta.glob<Guide>("../../../../docs/*.md", { import: "default" });

/** Rejects when there is no such guide. */
export async function loadGuide(name: string): Promise<Guide> {
  const load = FILES[`../../../../docs/${name}.md`];
  if (!load || !GUIDES.some(([known]) => known === name)) throw new Error("No such guide.");
  return load();
}
