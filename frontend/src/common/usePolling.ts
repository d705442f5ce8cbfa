/** Calls a function every so often while the page is in sight. */
import { useEffect, useRef } from "react";

export function usePolling(refresh: () => void, milliseconds: number) {
  const latest = useRef(refresh);
  useEffect(() => {
    latest.current = refresh;
  });
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) latest.current();
    }, milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}
