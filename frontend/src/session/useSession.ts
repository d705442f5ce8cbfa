/** The session as React state: undefined while it is being asked for, null when signed out. */
import { useCallback, useEffect, useState } from "react";
import { closeSession, currentSession, openSession, SESSION_ENDED, type Session } from "./session";

export function useSession() {
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [ended, setEnded] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const ask = useCallback(() => {
    setProblem(null);
    currentSession().then(setSession, (error: Error) => setProblem(error.message));
  }, []);
  useEffect(ask, [ask]);
  useEffect(() => {
    const end = () => setEnded(true);
    window.addEventListener(SESSION_ENDED, end);
    return () => window.removeEventListener(SESSION_ENDED, end);
  }, []);

  const signIn = useCallback(async (key: string) => {
    setSession(await openSession(key));
    setEnded(false);
  }, []);
  const signOut = useCallback(async () => {
    await closeSession();
    // A fresh page keeps nothing of what the last person saw.
    window.location.assign("/");
  }, []);

  return { session, ended, problem, retry: ask, signIn, signOut };
}
