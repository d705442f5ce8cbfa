/** How the user menu ends the session. */
import { createContext } from "react";

export const SignOutContext = createContext<() => Promise<void>>(async () => {});
