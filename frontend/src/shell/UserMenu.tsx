/** Who is signed in, the theme, and the way out. */
import Button from "@mui/material/Button";
import Divider from "@mui/material/Divider";
import ListItemIcon from "@mui/material/ListItemIcon";
import ListSubheader from "@mui/material/ListSubheader";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import { useColorScheme } from "@mui/material/styles";
import {
  mdiAccountCircle,
  mdiLogout,
  mdiThemeLightDark,
  mdiWeatherNight,
  mdiWeatherSunny,
} from "@mdi/js";
import { use, useState } from "react";
import { words } from "../common/format";
import { Icon } from "../common/Icon";
import { useViewer } from "../common/viewer";
import { SignOutContext } from "./signOut";

const MODES = [
  ["light", "Light", mdiWeatherSunny],
  ["dark", "Dark", mdiWeatherNight],
  ["system", "As the system", mdiThemeLightDark],
] as const;

export function UserMenu() {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const { mode, setMode } = useColorScheme();
  const signOut = use(SignOutContext);
  const viewer = useViewer();
  return (
    <>
      <Button
        color="inherit"
        startIcon={<Icon path={mdiAccountCircle} />}
        aria-haspopup="menu"
        onClick={(event) => setAnchor(event.currentTarget)}
        sx={{ maxWidth: { xs: 180, sm: 320 }, whiteSpace: "nowrap", overflow: "hidden" }}
      >
        {viewer.name}
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        <ListSubheader>
          {words(viewer.role)}
          {viewer.organization && ` · ${viewer.organization}`}
        </ListSubheader>
        {MODES.map(([value, label, path]) => (
          <MenuItem key={value} selected={mode === value} onClick={() => setMode(value)}>
            <ListItemIcon>
              <Icon path={path} fontSize="small" />
            </ListItemIcon>
            {label}
          </MenuItem>
        ))}
        <Divider />
        <MenuItem onClick={() => void signOut()}>
          <ListItemIcon>
            <Icon path={mdiLogout} fontSize="small" />
          </ListItemIcon>
          Sign out
        </MenuItem>
      </Menu>
    </>
  );
}
