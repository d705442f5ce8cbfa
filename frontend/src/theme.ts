/** Colours and type of the whole app, light and dark. */
import "@fontsource-variable/roboto";
import { createTheme } from "@mui/material/styles";

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: "data" },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: "#0b5563" },
        secondary: { main: "#b45309" },
        warning: { main: "#a84300" },
        info: { main: "#01579b" },
        background: { default: "#f5f7f8" },
      },
    },
    dark: {
      palette: {
        primary: { main: "#6cc5d3" },
        secondary: { main: "#ffb703" },
        background: { default: "#0e1518", paper: "#152024" },
      },
    },
  },
  // In the dark, what is raised keeps the paper's own colour.
  components: {
    MuiPaper: { styleOverrides: { root: { backgroundImage: "none" } } },
    // Its own dark ground is hardly another one than the page's.
    MuiAlert: {
      styleOverrides: {
        root: ({ theme: found }) =>
          found.applyStyles("dark", { border: `1px solid ${found.vars.palette.divider}` }),
      },
    },
    MuiToggleButtonGroup: { defaultProps: { color: "primary" } },
    MuiToggleButton: {
      styleOverrides: { root: ({ theme: { vars } }) => ({ color: vars.palette.text.primary }) },
    },
  },
  shape: { borderRadius: 10 },
  typography: {
    fontFamily: '"Roboto Variable", system-ui, sans-serif',
    h1: { fontSize: "1.75rem", fontWeight: 600 },
    h2: { fontSize: "1.15rem", fontWeight: 600 },
    button: { textTransform: "none", fontWeight: 600 },
  },
});
