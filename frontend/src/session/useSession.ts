/** The session as React state: undefined while it is being asked for, null when signed out. */
import { useCallback, useEffect, useState } from "react";
import { closeSession, currentSession, openSession, type Session } from "./session";

export function useSession() {
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [problem, setProblem] = useState<string | null>(null);

  const ask = useCallback(() => {
    setProblem(null);
    currentSession().then(setSession, (error: Error) => setProblem(error.message));
  }, []);
  useEffect(ask, [ask]);

  const signIn = useCallback(async (key: string) => setSession(await openSession(key)), []);
  const signOut = useCallback(async () => {
    await closeSession();
    setSession(null);
  }, []);

  return { session, problem, retry: ask, signIn, signOut };
}
