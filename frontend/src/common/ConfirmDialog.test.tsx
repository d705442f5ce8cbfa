import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { ConfirmDialog } from "./ConfirmDialog";
import { Refused } from "./useAct";

afterEach(cleanup);

const dialog = (onConfirm: (force: boolean) => Promise<void>, onClose = vi.fn()) => (
  <ConfirmDialog title="Delete it?" action="Delete" onConfirm={onConfirm} onClose={onClose}>
    Its models go with it.
  </ConfirmDialog>
);

test("what refers to it is listed, and going on then forces it", async () => {
  const onClose = vi.fn();
  const onConfirm = vi.fn((force: boolean) =>
    force
      ? Promise.resolve()
      : Promise.reject(new Refused({ message: "It is in use.", references: ["alias fast"] })),
  );
  render(dialog(onConfirm, onClose));

  fireEvent.click(screen.getByRole("button", { name: "Delete" }));
  expect((await screen.findByRole("listitem")).textContent).toBe("alias fast");
  expect(onClose).not.toHaveBeenCalled();
  fireEvent.click(screen.getByRole("button", { name: "Delete anyway" }));
  await vi.waitFor(() => expect(onClose).toHaveBeenCalledOnce());
  expect(onConfirm.mock.calls).toEqual([[false], [true]]);
});

test("a refusal that nothing refers to is said, and is not forced", async () => {
  const onConfirm = vi.fn(() => Promise.reject(new Refused({ message: "Not while it runs." })));
  render(dialog(onConfirm));

  fireEvent.click(screen.getByRole("button", { name: "Delete" }));
  expect(await screen.findByText("Not while it runs.")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Delete" }));
  await vi.waitFor(() => expect(onConfirm).toHaveBeenCalledTimes(2));
  expect(onConfirm).toHaveBeenLastCalledWith(false);
});
