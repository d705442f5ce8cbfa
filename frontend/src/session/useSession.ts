/** The session as React state: undefined while it is being asked for, null when signed out. */
import { useCallback, useEffect, useRef, useState } from "react";
import { credential } from "./credential";
import type { OpenIdSession } from "./openid";
import {
  closeSession,
  currentSession,
  openSession,
  SESSION_ENDED,
  type Session,
  signInMethods,
} from "./session";

export interface SignInWays {
  byKey: (key: string) => Promise<void>;
  /** Null where the server knows no identity provider. */
  byProvider: (() => Promise<void>) | null;
}

/** Tells the other tabs that somebody signed out, and of what. */
const SIGNED_OUT = "fairlead:signed-out";

const announceEnd = () => window.dispatchEvent(new Event(SESSION_ENDED));

export function useSession() {
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [openid, setOpenid] = useState<OpenIdSession | null>(null);
  const [ended, setEnded] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const asking = useRef(false);

  const ask = useCallback(async () => {
    // A redirect's code works once, and React may ask twice.
    if (asking.current) return;
    asking.current = true;
    setProblem(null);
    try {
      const methods = await signInMethods();
      if (methods.openid) {
        const found = await import("./openid");
        const provider = new found.OpenIdSession(methods.openid, announceEnd);
        credential.use(provider);
        setOpenid(provider);
        await provider.resume();
      }
      setSession(await currentSession());
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      asking.current = false;
    }
  }, []);
  useEffect(() => void ask(), [ask]);
  useEffect(() => {
    const end = () => setEnded(true);
    window.addEventListener(SESSION_ENDED, end);
    return () => window.removeEventListener(SESSION_ENDED, end);
  }, []);

  const enter = useCallback(
    (found: Session | null) => {
      // Somebody else is not to see what this page still shows.
      if (session && found?.person !== session.person) window.location.assign("/");
      setSession(found);
      setEnded(false);
    },
    [session],
  );
  const byKey = useCallback(
    async (key: string) => {
      const found = await openSession(key);
      await openid?.forget();
      enter(found);
    },
    [openid, enter],
  );
  const byProvider = useCallback(async () => {
    if (!openid) return;
    if (!ended) return openid.signIn();
    await openid.signInBeside();
    enter(await currentSession());
  }, [openid, ended, enter]);
  const signOut = useSignOut(openid, setProblem, setSession);

  const ways: SignInWays = { byKey, byProvider: openid && byProvider };
  return { session, ended, problem, retry: ask, ways, signOut };
}

/** Ends the session here, at the provider and in the other tabs that have it. */
function useSignOut(
  openid: OpenIdSession | null,
  setProblem: (problem: string) => void,
  setSession: (session: undefined) => void,
) {
  const channel = useRef<BroadcastChannel>(null);
  useEffect(() => {
    const others = new BroadcastChannel(SIGNED_OUT);
    channel.current = others;
    others.onmessage = (event: MessageEvent) => {
      if (event.data === wayOf(openid)) void leave(openid);
    };
    return () => others.close();
  }, [openid]);

  return useCallback(async () => {
    channel.current?.postMessage(wayOf(openid));
    const problem = await closeSession().catch((error: Error) => error);
    if (openid?.holds) await openid.signOut();
    if (problem) {
      setProblem(`You may still be signed in: ${problem.message}`);
      setSession(undefined);
      return;
    }
    // A fresh page keeps nothing of what the last person saw.
    window.location.assign("/");
  }, [openid, setProblem, setSession]);
}

function wayOf(openid: OpenIdSession | null): "provider" | "key" {
  return openid?.holds ? "provider" : "key";
}

/** Somebody signed out in another tab. */
async function leave(openid: OpenIdSession | null): Promise<void> {
  await closeSession().catch(() => undefined);
  await openid?.forget();
  window.location.assign("/");
}
