/** A short word to the user that something was done. */
import { createContext, useContext } from "react";

export const NoticeContext = createContext<(text: string) => void>(() => {});

export const useNotice = () => useContext(NoticeContext);
