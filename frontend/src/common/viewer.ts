/** Who is looking, and whether they may change things. */
import { createContext, useContext } from "react";
import type { Session } from "../session/session";

export const ViewerContext = createContext<Session | null>(null);

export function useViewer(): Session {
  const session = useContext(ViewerContext);
  if (!session) throw new Error("Rendered outside of a session.");
  return session;
}

export const useIsAdmin = () => useViewer().role === "ADMIN";
