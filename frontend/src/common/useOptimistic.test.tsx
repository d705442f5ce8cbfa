import { act, cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { afterEach, expect, test } from "vitest";
import { Notices } from "./Notices";
import { useOptimistic } from "./useOptimistic";

afterEach(cleanup);

interface Row {
  id: string;
  version: number;
  enabled: boolean;
}
interface Calls {
  answer: (error?: Error) => void;
  setRows: (rows: Row[]) => void;
  asked: number;
}

const calls = { asked: 0 } as Calls;
const OUTCOME = { done: "It is off.", failed: "It is still on." };

function List() {
  const [rows, setRows] = useState<Row[]>([{ id: "a", version: 1, enabled: true }]);
  const { shown, change } = useOptimistic(rows, ({ id }) => id);
  calls.setRows = setRows;
  const update = () => {
    calls.asked += 1;
    return new Promise<void>((resolve, reject) => {
      calls.answer = (error) => (error ? reject(error) : resolve());
    });
  };
  return shown?.map((row) => (
    <button key={row.id} onClick={() => void change(row, { enabled: false }, update, OUTCOME)}>
      {row.enabled ? "on" : "off"}
    </button>
  ));
}

async function switchedOff() {
  calls.asked = 0;
  render(
    <Notices>
      <List />
    </Notices>,
  );
  await userEvent.click(screen.getByRole("button", { name: "on" }));
  expect(screen.getByRole("button", { name: "off" })).toBeTruthy();
}

const answer = (error?: Error) => act(async () => calls.answer(error));

test("shows a change before it is answered, and keeps it until the newer row is there", async () => {
  await switchedOff();
  await answer();
  expect(screen.getByRole("button", { name: "off" })).toBeTruthy();
  expect(screen.getByText("It is off.")).toBeTruthy();

  act(() => calls.setRows([{ id: "a", version: 2, enabled: false }]));
  expect(screen.getByRole("button", { name: "off" })).toBeTruthy();

  // Somebody else switches it on again.
  act(() => calls.setRows([{ id: "a", version: 3, enabled: true }]));
  expect(screen.getByRole("button", { name: "on" })).toBeTruthy();
});

test("a list that is read anew meanwhile does not undo it", async () => {
  await switchedOff();
  act(() => calls.setRows([{ id: "a", version: 1, enabled: true }]));
  expect(screen.getByRole("button", { name: "off" })).toBeTruthy();
});

test("goes back where it is refused, says so, and can be tried again", async () => {
  await switchedOff();
  await answer(new Error("The server cannot be reached."));

  expect(screen.getByRole("button", { name: "on" })).toBeTruthy();
  expect(screen.getByText("It is still on. The server cannot be reached.")).toBeTruthy();

  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(calls.asked).toBe(2);
  expect(screen.getByRole("button", { name: "off" })).toBeTruthy();
  await answer();
  expect(screen.getByText("It is off.")).toBeTruthy();
});
