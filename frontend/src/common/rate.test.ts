import { Client, fetchExchange, gql } from "urql";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { messageOf } from "./client";
import { rateExchange } from "./rate";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const QUERY = gql`
  {
    viewer
  }
`;
const CHANGE = gql`
  mutation {
    change
  }
`;

function refusal(retryAfter: string): Response {
  const body = {
    errors: [{ message: "Too much at once.", extensions: { code: "LIMIT_EXCEEDED" } }],
  };
  const headers = {
    "content-type": "application/graphql-response+json",
    "retry-after": retryAfter,
  };
  return new Response(JSON.stringify(body), { status: 429, headers });
}

function answer(data: object, status = 200): Response {
  const headers = { "content-type": "application/graphql-response+json" };
  return new Response(JSON.stringify(data), { status, headers });
}

function clientOf(...answers: (() => Response)[]) {
  const asked = vi.fn(() =>
    Promise.resolve(answers[Math.min(asked.mock.calls.length, answers.length) - 1]!()),
  );
  const exchanges = [rateExchange, fetchExchange];
  const client = new Client({ url: "/graphql", preferGetMethod: false, fetch: asked, exchanges });
  return { client, asked };
}

test("waits as long as it is told, and asks again", async () => {
  const { client, asked } = clientOf(
    () => refusal("2"),
    () => answer({ data: { viewer: "Ada" } }),
  );
  const found = client.query(QUERY, {}).toPromise();

  await vi.advanceTimersByTimeAsync(1_900);
  expect(asked).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1_600);

  expect((await found).data).toMatchObject({ viewer: "Ada" });
  expect(asked).toHaveBeenCalledTimes(2);
});

test("sends a change again that was refused before anything was done", async () => {
  const { client, asked } = clientOf(
    () => refusal("1"),
    () => answer({ data: { change: true } }),
  );
  const done = client.mutation(CHANGE, {}).toPromise();
  await vi.advanceTimersByTimeAsync(2_000);

  expect((await done).data).toMatchObject({ change: true });
  expect(asked).toHaveBeenCalledTimes(2);
});

test("never sends a change again of which nobody knows whether it was done", async () => {
  const { client, asked } = clientOf(() => {
    throw new TypeError("connection reset");
  });
  const { error } = await client.mutation(CHANGE, {}).toPromise();
  await vi.advanceTimersByTimeAsync(60_000);

  expect(error?.networkError).toBeTruthy();
  expect(asked).toHaveBeenCalledTimes(1);
});

test("gives up in the end, in the server's words", async () => {
  const { client, asked } = clientOf(() => refusal("1"));
  const found = client.query(QUERY, {}).toPromise();
  await vi.advanceTimersByTimeAsync(60_000);

  expect(messageOf((await found).error!)).toBe("Too much at once.");
  expect(asked).toHaveBeenCalledTimes(5);
});

test.each(["3600", "soon"])("does not keep anybody waiting for %s", async (retryAfter) => {
  const { client, asked } = clientOf(() => refusal(retryAfter));
  expect((await client.query(QUERY, {}).toPromise()).error).toBeTruthy();
  expect(asked).toHaveBeenCalledTimes(1);
});

test("leaves other refusals alone", async () => {
  const errors = [{ message: "Too large.", extensions: { code: "LIMIT_EXCEEDED" } }];
  const { client, asked } = clientOf(() => answer({ errors }, 400));
  expect((await client.query(QUERY, {}).toPromise()).error?.message).toContain("Too large.");
  expect(asked).toHaveBeenCalledTimes(1);
});
