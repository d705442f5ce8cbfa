/** A rule's value in words. */
import { percent, words } from "../../common/format";

/** Weights in percent, lists one below the other, null as a dash. */
export function valueText(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(valueText).join("\n");
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([name, inner]) => `${words(name)}: ${partText(name, inner)}`)
      .join("\n");
  }
  return String(value);
}

function partText(name: string, value: unknown): string {
  const isWeight = name === "cost" || name === "latency" || name === "quality";
  if (isWeight && typeof value === "number") return percent(value / 10_000, 0);
  return valueText(value).replaceAll("\n", ", ");
}
