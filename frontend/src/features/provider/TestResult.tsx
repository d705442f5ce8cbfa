/** What a real call to a provider found. */
import Alert from "@mui/material/Alert";
import AlertTitle from "@mui/material/AlertTitle";
import Button from "@mui/material/Button";
import { Link } from "react-router";
import { duration } from "../../common/format";
import type { Payload } from "../../common/useAct";
import type { TestProviderMutation } from "../../gql/provider";

type Found = Omit<Payload<TestProviderMutation>, "__typename">;
/** Without a provider the catalogue is not offered: the key is somebody's own. */
export type Tested = Omit<Found, "provider"> & Partial<Pick<Found, "provider">>;

export function TestResult({ name, tested }: { name: string; tested: Tested }) {
  const { ok, latencyMs, httpStatus, error, modelCount, provider } = tested;
  const discover = ok && provider && modelCount !== 0 && (
    <Button
      color="inherit"
      component={Link}
      to={`/models?discover=${encodeURIComponent(provider.id)}`}
    >
      Discover its models
    </Button>
  );
  return (
    <Alert severity={ok ? "success" : "error"} action={discover}>
      <AlertTitle>{ok ? `${name} answers` : `${name} does not work yet`}</AlertTitle>
      {ok && `In ${duration(latencyMs)}, and it says it serves ${modelCount} models.`}
      {!ok && (error ?? "It gave no reason.")}
      {!ok && httpStatus !== null && ` (HTTP ${httpStatus})`}
    </Alert>
  );
}
