/** Shows notices at the foot of the page, one at a time. */
import Snackbar from "@mui/material/Snackbar";
import { type ReactNode, useState } from "react";
import { NoticeContext } from "./notice";

export function Notices({ children }: { children: ReactNode }) {
  const [text, setText] = useState<string | null>(null);
  return (
    <NoticeContext value={setText}>
      {children}
      <Snackbar
        key={text}
        open={text !== null}
        message={text}
        autoHideDuration={5_000}
        onClose={(_, reason) => reason !== "clickaway" && setText(null)}
      />
    </NoticeContext>
  );
}
