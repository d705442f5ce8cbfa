/** On how many of the running processes the newest configuration serves, told as it changes. */
import Chip from "@mui/material/Chip";
import { useSubscription } from "urql";
import { AppliedDocument } from "../../gql/rule";

export function Applied() {
  const [{ data }] = useSubscription({ query: AppliedDocument, variables: { number: null } });
  if (!data) return null;
  const { applied, running, isEverywhere } = data.configApplied;
  return (
    <Chip
      variant="outlined"
      color={isEverywhere ? "success" : "warning"}
      label={`Applied on ${applied} of ${running}`}
    />
  );
}
