import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Pager } from "./Pager";

afterEach(cleanup);

const page = { hasNextPage: false, hasPreviousPage: false };
const keyset = { next: () => {}, previous: () => {} };

test.each([
  ["people", 1, "1 person"],
  ["people", 1200, "1,200 people"],
  ["entries", 1, "1 entry"],
  ["deliveries", 1, "1 delivery"],
  ["keys", 1, "1 key"],
])("of %s there are %d: %s", (noun, total, said) => {
  render(<Pager {...{ noun, total }} page={page as never} keyset={keyset as never} />);
  expect(screen.getByText(said)).toBeDefined();
});
