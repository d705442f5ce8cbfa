/** What changed between two states of a thing, field by field. */

export interface Change {
  /** Nested fields by a path, as in `options.region`. */
  field: string;
  before: string | null;
  after: string | null;
}

/** Only what differs, in the order of the fields' names; null: it was not there. */
export function differenceOf(before: unknown, after: unknown): Change[] {
  const [was, is] = [flat(before), flat(after)];
  const fields = [...new Set([...Object.keys(was), ...Object.keys(is)])].toSorted();
  return fields
    .map((field) => ({ field, before: was[field] ?? null, after: is[field] ?? null }))
    .filter((each) => each.before !== each.after);
}

function flat(value: unknown, path = ""): Record<string, string> {
  if (value === null || value === undefined) return path ? { [path]: "null" } : {};
  if (typeof value !== "object" || Array.isArray(value)) {
    return { [path]: typeof value === "string" ? value : JSON.stringify(value) };
  }
  const parts = Object.entries(value).map(([name, inner]) =>
    flat(inner, path ? `${path}.${name}` : name),
  );
  return Object.assign({}, ...parts) as Record<string, string>;
}

/** What a thing is called, from the state that is there. */
export function nameOf(before: unknown, after: unknown): string | null {
  const state = (after ?? before) as Record<string, unknown> | null;
  const found = state?.["name"] ?? state?.["slug"] ?? state?.["display_name"];
  return typeof found === "string" ? found : null;
}
