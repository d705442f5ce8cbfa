/** Names typed into one field, by comma or line. */

/** The names without spaces and repetitions. */
export function namesOf(text: string): string[] {
  const names = text.split(/[,\n]/).map((each) => each.trim());
  return [...new Set(names.filter((each) => each !== ""))];
}
