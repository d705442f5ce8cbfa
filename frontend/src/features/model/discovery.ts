/** What a provider serves that differs from the catalogue: in words, and as entries to apply. */
import { price } from "../../common/money";
import type { Payload } from "../../common/useAct";
import type {
  DiscoveredPriceFieldsFragment,
  DiscoverModelsMutation,
  DiscoveryEntryInput,
  DiscoveryKind,
} from "../../gql/model";

export type Discovered = Payload<DiscoverModelsMutation>;
export type Change = Discovered["changes"][number];

export const KINDS: Record<DiscoveryKind, [string, "success" | "warning" | "info"]> = {
  NEW: ["New", "success"],
  GONE: ["Gone", "warning"],
  REPRICED: ["Re-priced", "info"],
};

/** The server takes so many at once. */
export const AT_ONCE = 100;

export const keyOf = ({ kind, name }: Change) => `${kind} ${name}`;

/** "$1.00 / $4.00 → $2.00 / $8.00". */
export function priceText({ kind, price: told, heldPrice }: Change): string {
  if (kind === "REPRICED") return `${pair(heldPrice)} → ${pair(told)}`;
  return pair(kind === "GONE" ? heldPrice : told);
}

function pair(found: DiscoveredPriceFieldsFragment | null): string {
  return found ? `${price(found.input)} / ${price(found.output)}` : "Unknown";
}

export function entryOf(change: Change): DiscoveryEntryInput {
  const { kind, name, displayName, contextLength, maxOutputTokens } = change;
  if (kind === "GONE") return { kind, name };
  const told = amounts(change.price);
  if (kind === "REPRICED") return { kind, name, price: told };
  const { inputModalities, outputModalities, capabilities } = change;
  const details = { displayName, contextLength, maxOutputTokens };
  const lists = { inputModalities, outputModalities, capabilities };
  return { kind, name, price: told, ...details, ...lists };
}

function amounts(told: DiscoveredPriceFieldsFragment | null) {
  if (!told) return null;
  const { input, output, cachedInput, cacheWrite, cacheWrite1h } = told;
  return { input, output, cachedInput, cacheWrite, cacheWrite1h };
}

/** Pieces of at most `size`, in their order. */
export function piecesOf<T>(items: readonly T[], size: number): T[][] {
  const count = Math.ceil(items.length / size);
  return Array.from({ length: count }, (_, index) => items.slice(index * size, (index + 1) * size));
}

/** What is said once they are applied, and what is left to do. */
export function appliedText(changes: readonly Change[]): string {
  const done = `${changes.length} ${changes.length === 1 ? "change was" : "changes were"} applied.`;
  const unpriced = changes.filter(({ kind, price }) => kind === "NEW" && price === null).length;
  if (unpriced === 0) return done;
  const which =
    unpriced === 1
      ? "1 model has no price yet: “auto” does not choose it"
      : `${unpriced} models have no price yet: “auto” does not choose them`;
  return `${done} ${which} until it is set.`;
}
