/** A short word to the user that something was done, or was not and may be tried again. */
import { createContext, useContext } from "react";

type Notify = (text: string, again?: () => void) => void;

export const NoticeContext = createContext<Notify>(() => {});

export const useNotice = () => useContext(NoticeContext);
