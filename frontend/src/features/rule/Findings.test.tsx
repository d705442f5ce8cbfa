import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { Findings } from "./Findings";
import type { Validation } from "./useFindings";

afterEach(cleanup);

test("errors come before warnings, and an alias is named", () => {
  const finding = { __typename: "RoutingFinding" as const, field: "aliases.0.targets" };
  const validation: Validation = {
    __typename: "RoutingValidation",
    isPublishable: false,
    errors: 1,
    warnings: 1,
    findings: [
      { ...finding, severity: "WARNING", code: "UNUSED", alias: null, message: "Never used." },
      { ...finding, severity: "ERROR", code: "CYCLE", alias: "fast", message: "Leads to itself." },
    ],
  };
  render(<Findings validation={validation} />);
  const alerts = screen.getAllByRole("alert").map(({ textContent }) => textContent);

  expect(alerts).toEqual([
    "Cannot be published:fast: Leads to itself.",
    "Worth a second look:Never used.",
  ]);
});

test("says nothing where there is nothing to say", () => {
  const { container } = render(<Findings validation={undefined} />);
  expect(container.textContent).toBe("");
});
