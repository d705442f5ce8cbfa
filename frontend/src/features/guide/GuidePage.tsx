/** The Guides tab: the documentation, as it was when this version was built. */
import Box from "@mui/material/Box";
import Card from "@mui/material/Card";
import Link from "@mui/material/Link";
import List from "@mui/material/List";
import ListItemButton from "@mui/material/ListItemButton";
import ListItemText from "@mui/material/ListItemText";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import { type MouseEvent, useEffect, useState } from "react";
import { Link as RouterLink, useLocation, useNavigate, useParams } from "react-router";
import { Page } from "../../common/Page";
import { Loading } from "../../common/states";
import { NotFound } from "../../shell/NotFound";
import { type Guide, GUIDES, loadGuide } from "./guides";
import { TEXT } from "./text";

export function GuidePage() {
  const { name = "first-steps" } = useParams();
  const title = GUIDES.find(([known]) => known === name)?.[1];
  const guide = useGuide(name);
  useAnchor(guide);
  if (!title || guide === null) return <NotFound />;
  return (
    <Page title={title} about="Part of the documentation of this version.">
      <Box sx={{ display: "flex", gap: 3, flexDirection: { xs: "column", md: "row" } }}>
        <Chooser name={name} />
        <Contents name={name} guide={guide} />
        <Card variant="outlined" sx={{ p: { xs: 2, sm: 3 }, minWidth: 0, flexGrow: 1 }}>
          {guide ? <Text html={guide.html} /> : <Loading />}
        </Card>
      </Box>
    </Page>
  );
}

/** Undefined while it is fetched, null when there is none. */
function useGuide(name: string): Guide | null | undefined {
  const [found, setFound] = useState<{ name: string; guide: Guide | null }>();
  useEffect(() => {
    loadGuide(name).then(
      (guide) => setFound({ name, guide }),
      () => setFound({ name, guide: null }),
    );
  }, [name]);
  return found?.name === name ? found.guide : undefined;
}

/** Scrolls to the section that the address names, once the text is there. */
function useAnchor(guide: Guide | null | undefined) {
  const { hash, pathname } = useLocation();
  useEffect(() => {
    if (!guide) return;
    if (!hash) window.scrollTo(0, 0);
    else document.getElementById(decodeURIComponent(hash.slice(1)))?.scrollIntoView();
  }, [guide, hash, pathname]);
}

/** In place of the contents, where there is no room for them. */
function Chooser({ name }: { name: string }) {
  const navigate = useNavigate();
  return (
    <TextField
      select
      size="small"
      label="Guide"
      value={name}
      onChange={(event) => void navigate(`/guides/${event.target.value}`)}
      sx={{ display: { md: "none" } }}
    >
      {GUIDES.map(([each, title]) => (
        <MenuItem key={each} value={each}>
          {title}
        </MenuItem>
      ))}
    </TextField>
  );
}

function Contents({ name, guide }: { name: string; guide: Guide | undefined }) {
  return (
    <Box
      component="nav"
      aria-label="Guides"
      sx={{ flexShrink: 0, width: 230, display: { xs: "none", md: "block" } }}
    >
      <List dense disablePadding sx={{ position: "sticky", top: 80 }}>
        {GUIDES.map(([each, title]) => (
          <li key={each}>
            <ListItemButton
              component={RouterLink}
              to={`/guides/${each}`}
              selected={each === name}
              sx={{ borderRadius: 1 }}
            >
              <ListItemText primary={title} />
            </ListItemButton>
            {each === name && (
              <Box sx={{ pl: 2, pb: 1 }}>
                {guide?.sections.map(([id, section]) => (
                  <Link
                    key={id}
                    component={RouterLink}
                    to={`#${id}`}
                    underline="hover"
                    variant="body2"
                    color="textSecondary"
                    sx={{ display: "block", py: 0.25 }}
                  >
                    {section}
                  </Link>
                ))}
              </Box>
            )}
          </li>
        ))}
      </List>
    </Box>
  );
}

/** Our own text, made at build time. Its links to other guides stay within the app. */
function Text({ html }: { html: string }) {
  const navigate = useNavigate();

  function follow(event: MouseEvent) {
    const href = (event.target as HTMLElement).closest("a")?.getAttribute("href");
    const isOurs = href?.startsWith("/guides/") || href?.startsWith("#");
    if (!href || !isOurs || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    void navigate(href);
  }

  // The links within do all that a click here does.
  // oxlint-disable-next-line react/no-danger
  return <Box onClick={follow} sx={TEXT} dangerouslySetInnerHTML={{ __html: html }} />;
}
