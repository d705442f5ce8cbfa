import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { OrderedList } from "./OrderedList";

afterEach(cleanup);

test("items are moved by buttons, and so by key", () => {
  const onChange = vi.fn();
  render(<OrderedList label="Models" items={["a", "b", "c"]} onChange={onChange} removable />);

  fireEvent.click(screen.getByRole("button", { name: "Move b up" }));
  expect(onChange).toHaveBeenLastCalledWith(["b", "a", "c"]);
  fireEvent.click(screen.getByRole("button", { name: "Move b down" }));
  expect(onChange).toHaveBeenLastCalledWith(["a", "c", "b"]);
  fireEvent.click(screen.getByRole("button", { name: "Remove a" }));
  expect(onChange).toHaveBeenLastCalledWith(["b", "c"]);
});

test("items are dragged onto the place they are to take", () => {
  const onChange = vi.fn();
  render(<OrderedList label="Models" items={["a", "b", "c"]} onChange={onChange} />);
  const [first, , last] = screen.getAllByRole("listitem");

  fireEvent.dragStart(last!);
  fireEvent.drop(first!);

  expect(onChange).toHaveBeenCalledExactlyOnceWith(["c", "a", "b"]);
});

test("the ends go no further, and nothing is removed where it may not be", () => {
  render(<OrderedList label="Models" items={["a", "b"]} onChange={vi.fn()} />);
  const disabled = (name: string) =>
    (screen.getByRole("button", { name }) as HTMLButtonElement).disabled;

  expect([disabled("Move a up"), disabled("Move b down"), disabled("Move a down")]).toEqual([
    true,
    true,
    false,
  ]);
  expect(screen.queryByRole("button", { name: "Remove a" })).toBeNull();
});
