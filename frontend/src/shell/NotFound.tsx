/** An address that leads nowhere. */
import Button from "@mui/material/Button";
import { mdiMapMarkerQuestionOutline } from "@mdi/js";
import { Link } from "react-router";
import { Empty } from "../common/states";

export function NotFound() {
  return (
    <Empty
      icon={mdiMapMarkerQuestionOutline}
      title="There is no such page"
      action={
        <Button component={Link} to="/" variant="contained">
          Go home
        </Button>
      }
    >
      The address may be mistyped, or the page may have moved.
    </Empty>
  );
}
