/** How the text of a guide looks. */

export const TEXT = {
  maxWidth: 860,
  lineHeight: 1.6,
  overflowWrap: "anywhere",
  "& h1": { display: "none" },
  "& h2": { fontSize: "1.25rem", mt: 4, mb: 1, scrollMarginTop: 80 },
  "& h3": { fontSize: "1.05rem", mt: 3, mb: 0.5, scrollMarginTop: 80 },
  "& h2:first-of-type": { mt: 2 },
  "& p, & ul, & ol": { my: 1.25 },
  "& li": { my: 0.5 },
  "& a": { color: "primary.main" },
  "& code": { fontSize: "0.88em", bgcolor: "action.hover", px: 0.5, borderRadius: 0.5 },
  "& pre": { p: 1.5, borderRadius: 1, bgcolor: "action.hover", overflowX: "auto", my: 1.5 },
  "& pre code": { bgcolor: "transparent", px: 0, overflowWrap: "normal" },
  "& .wide": { overflowX: "auto" },
  "& table": { borderCollapse: "collapse", my: 1, overflowWrap: "normal" },
  "& th, & td": {
    border: 1,
    borderColor: "divider",
    px: 1,
    py: 0.5,
    textAlign: "left",
    verticalAlign: "top",
  },
};
