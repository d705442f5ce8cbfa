/** Which models a key may name. */
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogTitle from "@mui/material/DialogTitle";
import Typography from "@mui/material/Typography";
import { useQuery } from "urql";
import { messageOf } from "../../common/client";
import { Loading, Problem } from "../../common/states";
import { AllowedModelsDocument } from "../../gql/apikey";

interface Props {
  apiKey: { id: string; name: string };
  onClose: () => void;
}

export function AllowedModels({ apiKey: { id, name }, onClose }: Props) {
  const [{ data, error }] = useQuery({ query: AllowedModelsDocument, variables: { id } });
  const allowed = data?.node?.__typename === "ApiKey" ? data.node.allowedModels : null;
  return (
    <Dialog open onClose={onClose} fullWidth maxWidth="sm" aria-labelledby="allowed-models">
      <DialogTitle id="allowed-models">Models that {name} may name</DialogTitle>
      <DialogContent>
        {error && !data && <Problem message={messageOf(error)} />}
        {!data && !error && <Loading rows={2} />}
        {data && !allowed && <Typography>Any that its owner may use.</Typography>}
        {allowed && (
          <ul>
            {allowed.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>Close</Button>
      </DialogActions>
    </Dialog>
  );
}
