import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { type Client, type GraphQLRequest, Provider } from "urql";
import { afterEach, expect, test, vi } from "vitest";
import type { ExplainRouteQueryVariables } from "../../gql/rule";
import { Explain } from "./Explain";

afterEach(cleanup);

/** An answer that does not come. */
const never = () => {};

const WRITTEN = JSON.stringify({ strategy: "COST" });

function shown(props: { written: string; draft: number | null }) {
  const asked: unknown[] = [];
  const executeQuery = vi.fn((request: GraphQLRequest) => {
    const { input } = request.variables as Partial<ExplainRouteQueryVariables>;
    if (input && "proposed" in input) asked.push(input.proposed);
    return never;
  });
  const client = { executeQuery, suspense: false } as unknown as Client;
  render(
    <Provider value={client}>
      <Explain version={1} scope="GLOBAL" {...props} />
    </Provider>,
  );
  return asked;
}

test("explains what is in force while nothing else is written", async () => {
  const asked = shown({ written: "null", draft: null });
  await vi.waitFor(() => expect(asked.at(-1)).toBe(null));
  expect(screen.queryByRole("group", { name: "Explained by" })).toBeNull();
});

test("explains what is being written, and what is in force on demand", async () => {
  const asked = shown({ written: WRITTEN, draft: 3 });
  const written = { scope: "GLOBAL", rules: { strategy: "COST" } };
  await vi.waitFor(() => expect(asked.at(-1)).toEqual(written));

  await userEvent.click(screen.getByRole("button", { name: "As in force" }));
  await vi.waitFor(() => expect(asked.at(-1)).toBe(null));
});

test("explains the stored draft where nothing is being written", async () => {
  const asked = shown({ written: "null", draft: 3 });
  await vi.waitFor(() => expect(asked.at(-1)).toEqual({ scope: "GLOBAL", rules: null }));
});
