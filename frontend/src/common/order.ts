/** Lists that somebody puts in order. */

/** The list with the item at `from` moved to `to`. */
export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const others = items.filter((_, index) => index !== from);
  const item = items.slice(from, from + 1);
  return [...others.slice(0, to), ...item, ...others.slice(to)];
}
