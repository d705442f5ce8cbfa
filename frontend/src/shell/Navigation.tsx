/** The list of tabs. */
import List from "@mui/material/List";
import ListItem from "@mui/material/ListItem";
import ListItemButton from "@mui/material/ListItemButton";
import ListItemIcon from "@mui/material/ListItemIcon";
import ListItemText from "@mui/material/ListItemText";
import { mdiGraphql } from "@mdi/js";
import { NavLink, useMatch } from "react-router";
import { Icon } from "../common/Icon";
import { useIsAdmin } from "../common/viewer";
import { type Tab, TABS } from "./tabs";

const BUTTON = { borderRadius: 2, mx: 1 };

export function Navigation({ onNavigate }: { onNavigate?: () => void }) {
  const isAdmin = useIsAdmin();
  return (
    <nav aria-label="Main">
      <List>
        {TABS.filter(({ admin }) => isAdmin || !admin).map((tab) => (
          <Item key={tab.path} tab={tab} onNavigate={onNavigate} />
        ))}
        <ListItem disablePadding>
          <ListItemButton component="a" href="/graphql" sx={BUTTON}>
            <ListItemIcon sx={{ minWidth: 40 }}>
              <Icon path={mdiGraphql} />
            </ListItemIcon>
            <ListItemText primary="GraphiQL" />
          </ListItemButton>
        </ListItem>
      </List>
    </nav>
  );
}

function Item({ tab, onNavigate }: { tab: Tab; onNavigate?: () => void }) {
  const selected = useMatch({ path: tab.path, end: tab.path === "/" }) !== null;
  return (
    <ListItem disablePadding>
      <ListItemButton
        component={NavLink}
        to={tab.path}
        end={tab.path === "/"}
        selected={selected}
        onClick={onNavigate}
        sx={BUTTON}
      >
        <ListItemIcon sx={{ minWidth: 40, color: selected ? "primary.main" : undefined }}>
          <Icon path={tab.icon} />
        </ListItemIcon>
        <ListItemText primary={tab.label} />
      </ListItemButton>
    </ListItem>
  );
}
