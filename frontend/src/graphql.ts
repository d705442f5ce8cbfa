/** One GraphQL operation over HTTP, by the session's cookie. */

interface Answer<T> {
  data?: T | null;
  errors?: { message: string }[];
}

/** `data`, or an Error with the first error's message. */
export async function execute<T>(query: string, variables?: object): Promise<T> {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
    body: JSON.stringify({ query, variables }),
  });
  const body = (await response.json()) as Answer<T>;
  if (body.errors?.[0]) throw new Error(body.errors[0].message);
  if (!body.data) throw new Error(`The server answered ${response.status}.`);
  return body.data;
}
