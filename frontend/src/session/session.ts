/** The browser's session: a token of the identity provider, or a key that became a cookie once. */
import { credential } from "./credential";
import type { OpenIdMethod } from "./openid";

/** Said on `window` when the server no longer knows the session. */
export const SESSION_ENDED = "fairlead:session-ended";

export interface Session {
  person: string;
  name: string;
  role: "USER" | "ADMIN";
  organization: string | null;
  expiresAt: string | null;
}

export class SessionError extends Error {}

async function failure(response: Response): Promise<SessionError> {
  const body: unknown = await response.json().catch(() => null);
  const found = (body as { error?: { message?: string } } | null)?.error?.message;
  return new SessionError(found ?? `The server answered ${response.status}.`);
}

/** How people sign in here, besides by key. */
export async function signInMethods(): Promise<{ openid: OpenIdMethod | null }> {
  const response = await fetch("/session/methods");
  if (!response.ok) throw await failure(response);
  return (await response.json()) as { openid: OpenIdMethod | null };
}

/** Who is signed in, or null; 401 says that the session has ended. */
export async function currentSession(): Promise<Session | null> {
  const response = await fetch("/session", {
    headers: credential.headers,
    credentials: credential.cookie,
  });
  if (response.status === 401) return null;
  if (!response.ok) throw await failure(response);
  return (await response.json()) as Session | null;
}

/** Sign in with an API key; throws SessionError with the server's own words. */
export async function openSession(key: string): Promise<Session> {
  const response = await fetch("/session", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ key }),
  });
  if (!response.ok) throw await failure(response);
  return (await response.json()) as Session;
}

/** End the session and the token that this tab has, for every copy of them. */
export async function closeSession(): Promise<void> {
  const response = await fetch("/session", { method: "DELETE", headers: credential.headers });
  if (!response.ok) throw await failure(response);
}
