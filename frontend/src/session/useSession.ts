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

  const byKey = useCallback(async (key: string) => {
    setSession(await openSession(key));
    setEnded(false);
  }, []);
  const byProvider = useCallback(async () => {
    if (!openid) return;
    if (!ended) return openid.signIn();
    await openid.signInBeside();
    setSession(await currentSession());
    setEnded(false);
  }, [openid, ended]);
  const signOut = useCallback(async () => {
    await closeSession();
    if (openid?.token) await openid.signOut();
    // A fresh page keeps nothing of what the last person saw.
    window.location.assign("/");
  }, [openid]);

  const ways: SignInWays = { byKey, byProvider: openid && byProvider };
  return { session, ended, problem, retry: ask, ways, signOut };
}
