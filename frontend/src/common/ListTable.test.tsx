import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { type Column, ListTable, type Order } from "./ListTable";

afterEach(cleanup);

const COLUMNS: Column<string>[] = [
  { label: "Name", render: (row) => row, sort: "NAME" },
  { label: "Length", render: (row) => row.length, numeric: true },
];
const shared = { label: "Words", columns: COLUMNS, keyOf: (row: string) => row, empty: "No words" };

test("says that it loads until there are rows, and that there are none", () => {
  const { rerender } = render(<ListTable {...shared} rows={undefined} />);
  expect(screen.getByRole("status", { name: "Loading words" })).toBeTruthy();

  rerender(<ListTable {...shared} rows={[]} />);
  expect(screen.queryByRole("status")).toBeNull();
  expect(screen.getByText("No words")).toBeTruthy();
});

test("shows what went wrong, and asks again", () => {
  const retry = vi.fn();
  render(<ListTable {...shared} rows={undefined} problem="The server is away." retry={retry} />);

  expect(screen.getByRole("alert").textContent).toContain("The server is away.");
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(retry).toHaveBeenCalledOnce();
  expect(screen.queryByRole("status")).toBeNull();
});

test("a heading orders by its column, and turns the order when it is pressed again", () => {
  const onOrder = vi.fn();
  const table = (order: Order) => (
    <ListTable {...shared} rows={["one", "two"]} order={order} onOrder={onOrder} />
  );
  const { rerender } = render(table({ field: "CREATED", descending: false }));
  const press = () => fireEvent.click(screen.getByRole("button", { name: "Name" }));
  press();
  expect(onOrder).toHaveBeenLastCalledWith({ field: "NAME", descending: false });

  rerender(table({ field: "NAME", descending: false }));
  press();
  expect(onOrder).toHaveBeenLastCalledWith({ field: "NAME", descending: true });
  const heading = screen.getByRole("columnheader", { name: "Name" });
  expect(heading.getAttribute("aria-sort")).toBe("ascending");
  expect(within(screen.getByRole("table")).queryByRole("button", { name: "Length" })).toBeNull();
});
