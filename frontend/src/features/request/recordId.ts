/** The GraphQL id of a request, from the id that `/v1` puts in its headers. */

/** `uuid` with hyphens; the id names the type and holds the 16 bytes, in URL-safe base 64. */
export function recordId(uuid: string): string {
  const hex = uuid.replaceAll("-", "");
  const bytes = Array.from({ length: 16 }, (_, index) =>
    String.fromCharCode(Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16)),
  );
  return btoa(`UsageRecord:${bytes.join("")}`)
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}
