/** What a real call to a provider found. */
import Alert from "@mui/material/Alert";
import AlertTitle from "@mui/material/AlertTitle";
import { duration } from "../../common/format";
import type { Payload } from "../../common/useAct";
import type { TestProviderMutation } from "../../gql/provider";

export type Tested = Omit<Payload<TestProviderMutation>, "__typename" | "provider">;

export function TestResult({ name, tested }: { name: string; tested: Tested }) {
  const { ok, latencyMs, httpStatus, error, modelCount } = tested;
  return (
    <Alert severity={ok ? "success" : "error"}>
      <AlertTitle>{ok ? `${name} answers` : `${name} does not work yet`}</AlertTitle>
      {ok && `In ${duration(latencyMs)}, and it says it serves ${modelCount} models.`}
      {!ok && (error ?? "It gave no reason.")}
      {!ok && httpStatus !== null && ` (HTTP ${httpStatus})`}
    </Alert>
  );
}
