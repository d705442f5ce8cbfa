/** Server-sent events out of pieces of text that end anywhere. */

/** The data of each whole event in `text`, and what is left of an unfinished one. */
export function eventsOf(text: string): { events: string[]; rest: string } {
  const blocks = text.replaceAll("\r\n", "\n").split("\n\n");
  const rest = blocks.pop() ?? "";
  const events = blocks.map(dataOf).filter((each) => each !== "");
  return { events, rest };
}

function dataOf(block: string): string {
  const lines = block.split("\n").filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
}
