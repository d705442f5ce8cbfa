/** What is shown in a tab's place when its code failed, or could not be fetched. */
import { useRouteError } from "react-router";
import { Problem } from "../common/states";

export function Broken() {
  const error = useRouteError();
  const reason = error instanceof Error ? error.message : String(error);
  return (
    <Problem
      message={`This page stopped working: ${reason}`}
      retry={() => window.location.reload()}
    />
  );
}
