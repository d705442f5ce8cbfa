/** The frame of every tab: app bar, navigation (a drawer that opens over the page on phones), content. */
import AppBar from "@mui/material/AppBar";
import Box from "@mui/material/Box";
import Container from "@mui/material/Container";
import Drawer from "@mui/material/Drawer";
import IconButton from "@mui/material/IconButton";
import LinearProgress from "@mui/material/LinearProgress";
import Toolbar from "@mui/material/Toolbar";
import Typography from "@mui/material/Typography";
import { mdiMenu } from "@mdi/js";
import { useState } from "react";
import { Link, Outlet, useNavigation } from "react-router";
import { Icon } from "../common/Icon";
import { Navigation } from "./Navigation";
import { UserMenu } from "./UserMenu";

const WIDTH = 220;
const WIDE = { xs: "none", md: "block" };
const NARROW = { xs: "block", md: "none" };

export function AppShell() {
  const [open, setOpen] = useState(false);
  const close = () => setOpen(false);
  const paper = { "& .MuiDrawer-paper": { width: WIDTH } };
  return (
    <Box sx={{ display: "flex", minHeight: "100vh" }}>
      <Bar openNavigation={() => setOpen(true)} />
      <Drawer open={open} onClose={close} sx={{ display: NARROW, ...paper }}>
        <Toolbar />
        <Navigation onNavigate={close} />
      </Drawer>
      <Drawer variant="permanent" sx={{ display: WIDE, width: WIDTH, flexShrink: 0, ...paper }}>
        <Toolbar />
        <Navigation />
      </Drawer>
      <Box component="main" id="content" sx={{ flexGrow: 1, minWidth: 0 }}>
        <Toolbar />
        <Container maxWidth="xl" sx={{ py: 3 }}>
          <Outlet />
        </Container>
      </Box>
    </Box>
  );
}

function Bar({ openNavigation }: { openNavigation: () => void }) {
  const busy = useNavigation().state === "loading";
  return (
    <AppBar
      position="fixed"
      elevation={0}
      sx={{
        zIndex: (theme) => theme.zIndex.drawer + 1,
        bgcolor: "background.paper",
        color: "text.primary",
        backgroundImage: "none",
        borderBottom: 1,
        borderColor: "divider",
      }}
    >
      <Toolbar sx={{ gap: 1 }}>
        <IconButton
          edge="start"
          aria-label="Open navigation"
          onClick={openNavigation}
          sx={{ display: NARROW, lineHeight: 0 }}
        >
          <Icon path={mdiMenu} />
        </IconButton>
        <Box
          component={Link}
          to="/"
          sx={{
            display: "flex",
            gap: 1.25,
            alignItems: "center",
            color: "inherit",
            textDecoration: "none",
          }}
        >
          <img src="/favicon.svg" alt="" width={28} height={28} />
          <Typography component="span" variant="h2">
            Fairlead
          </Typography>
        </Box>
        <Box sx={{ flexGrow: 1 }} />
        <UserMenu />
      </Toolbar>
      {busy && (
        <LinearProgress
          aria-label="Loading the page"
          sx={{ position: "absolute", bottom: 0, left: 0, right: 0 }}
        />
      )}
    </AppBar>
  );
}
