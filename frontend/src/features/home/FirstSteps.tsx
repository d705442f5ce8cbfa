/** What is left to do until the first request can be answered and is seen in the usage. */
import Button from "@mui/material/Button";
import Card from "@mui/material/Card";
import List from "@mui/material/List";
import ListItem from "@mui/material/ListItem";
import ListItemIcon from "@mui/material/ListItemIcon";
import ListItemText from "@mui/material/ListItemText";
import Typography from "@mui/material/Typography";
import { mdiCheckCircle, mdiCircleOutline } from "@mdi/js";
import { Link } from "react-router";
import { Icon } from "../../common/Icon";
import { useIsAdmin } from "../../common/viewer";
import type { HomeQuery } from "../../gql/home";

interface Step {
  done: boolean;
  title: string;
  about: string;
  to: string;
  action: string;
}

export function FirstSteps({ found }: { found: HomeQuery }) {
  const isAdmin = useIsAdmin();
  const steps = stepsOf(found);
  if (!isAdmin || steps.every(({ done }) => done)) return null;
  return (
    <Card variant="outlined" component="section" aria-labelledby="first-steps">
      <Typography id="first-steps" variant="h2" sx={{ px: 2, pt: 2 }}>
        First steps
      </Typography>
      <List>
        {steps.map((each) => (
          <ListItem
            key={each.to}
            sx={{ flexWrap: "wrap" }}
            secondaryAction={
              !each.done && (
                <Button component={Link} to={each.to}>
                  {each.action}
                </Button>
              )
            }
          >
            <ListItemIcon sx={{ minWidth: 40 }}>
              <Icon
                path={each.done ? mdiCheckCircle : mdiCircleOutline}
                color={each.done ? "success" : "disabled"}
                titleAccess={each.done ? "Done" : "To do"}
              />
            </ListItemIcon>
            <ListItemText primary={each.title} secondary={each.about} sx={{ pr: 8 }} />
          </ListItem>
        ))}
      </List>
    </Card>
  );
}

function stepsOf({ providers, models, usageRecords }: HomeQuery): Step[] {
  return [
    {
      done: providers.nodes.some(isUsable),
      title: "Give a provider its key",
      about: "One of those listed, or your own upstream; it is tested at once.",
      to: "/providers",
      action: "Set up",
    },
    {
      done: models.totalCount > 0,
      title: "Add a model with its price",
      about: "“auto” chooses among priced models; what a request costs follows from the price.",
      to: "/models",
      action: "Add",
    },
    {
      done: usageRecords.nodes.length > 0,
      title: "Send a prompt",
      about: "See which model answers, why, and what it costs.",
      to: "/playground",
      action: "Try",
    },
  ];
}

function isUsable({ type, credentials }: HomeQuery["providers"]["nodes"][number]): boolean {
  return type === "CUSTOM" || (credentials?.nodes.length ?? 0) > 0;
}
