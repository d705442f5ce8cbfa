/** Shows notices at the foot of the page, one at a time. */
import Button from "@mui/material/Button";
import Snackbar from "@mui/material/Snackbar";
import { type ReactNode, useCallback, useState } from "react";
import { NoticeContext } from "./notice";

const READ_MS = 5_000;
const DECIDE_MS = 15_000;

interface Notice {
  text: string;
  again?: () => void;
}

export function Notices({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Notice | null>(null);
  const notify = useCallback((text: string, again?: () => void) => setShown({ text, again }), []);
  const again = shown?.again;
  return (
    <NoticeContext value={notify}>
      {children}
      <Snackbar
        key={shown?.text}
        open={shown !== null}
        message={shown?.text}
        autoHideDuration={again ? DECIDE_MS : READ_MS}
        onClose={(_, reason) => reason !== "clickaway" && setShown(null)}
        action={
          again && (
            <Button
              color="inherit"
              size="small"
              onClick={() => {
                setShown(null);
                again();
              }}
            >
              Try again
            </Button>
          )
        }
      />
    </NoticeContext>
  );
}
