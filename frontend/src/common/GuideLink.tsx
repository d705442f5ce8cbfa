/** Leads to the guide, or the section of one, that explains what is missing here. */
import Button from "@mui/material/Button";
import { mdiBookOpenVariantOutline } from "@mdi/js";
import { Link } from "react-router";
import { Icon } from "./Icon";

interface Props {
  /** As in `providers` or `providers#openai`. */
  to: string;
  children?: string;
}

export function GuideLink({ to, children = "Read the guide" }: Props) {
  return (
    <Button
      component={Link}
      to={`/guides/${to}`}
      size="small"
      startIcon={<Icon path={mdiBookOpenVariantOutline} />}
    >
      {children}
    </Button>
  );
}
