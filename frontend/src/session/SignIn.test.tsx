import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { SessionError } from "./session";
import { SignIn } from "./SignIn";

afterEach(cleanup);

test("hands over the key without the spaces a paste brings along", () => {
  const signIn = vi.fn(() => Promise.resolve());
  render(<SignIn ways={{ byKey: signIn, byProvider: null }} />);

  fireEvent.change(screen.getByLabelText(/API key/), { target: { value: "  fl_key \n" } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in" }));

  expect(signIn).toHaveBeenCalledExactlyOnceWith("fl_key");
});

test("shows the server's own words when the key is refused", async () => {
  const signIn = () => Promise.reject(new SessionError("This key is not known here."));
  render(<SignIn ways={{ byKey: signIn, byProvider: null }} />);

  fireEvent.change(screen.getByLabelText(/API key/), { target: { value: "fl_wrong" } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in" }));

  expect(await screen.findByText("This key is not known here.")).toBeTruthy();
});

test("offers the identity provider first, and the key beside it", () => {
  const byKey = vi.fn(() => Promise.resolve());
  const byProvider = vi.fn(() => Promise.resolve());
  render(<SignIn ways={{ byKey, byProvider }} />);

  fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
  fireEvent.change(screen.getByLabelText(/API key/), { target: { value: "fl_key" } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in with a key" }));

  expect(byProvider).toHaveBeenCalledOnce();
  expect(byKey).toHaveBeenCalledExactlyOnceWith("fl_key");
});
