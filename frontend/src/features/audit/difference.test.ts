import { expect, test } from "vitest";
import { differenceOf, nameOf } from "./difference";

test("tells only what changed, nested fields by their path", () => {
  const before = { name: "a", options: { region: "eu", deep: [1] }, version: 1 };
  const after = { name: "a", options: { region: "us", deep: [1] }, version: 2 };
  expect(differenceOf(before, after)).toEqual([
    { field: "options.region", before: "eu", after: "us" },
    { field: "version", before: "1", after: "2" },
  ]);
});

test("what was made has only an after, what was deleted only a before", () => {
  expect(differenceOf(null, { name: "a" })).toEqual([{ field: "name", before: null, after: "a" }]);
  expect(differenceOf({ name: "a" }, null)).toEqual([{ field: "name", before: "a", after: null }]);
});

test("a field set to nothing is told from one that was never there", () => {
  expect(differenceOf({ pin: "ECO" }, { pin: null })).toEqual([
    { field: "pin", before: "ECO", after: "null" },
  ]);
});

test("names a thing by what is left of it", () => {
  expect(nameOf({ name: "old" }, null)).toBe("old");
  expect(nameOf({ slug: "a" }, { slug: "b" })).toBe("b");
  expect(nameOf(null, { id: "1" })).toBeNull();
});
