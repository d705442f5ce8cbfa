/** Turns the guides in docs/ into pages of the app at build time, so that nothing is fetched or parsed later. */
import { readdirSync, readFileSync } from "node:fs";
import { Marked } from "marked";

const slugOf = (text) =>
  text
    .toLowerCase()
    .replace(/<[^>]+>|&[a-z#0-9]+;/g, "")
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .trim()
    .replaceAll(" ", "-");

/** GitHub's anchors, links between guides as addresses of the app, code and tables that scroll by key. */
function renderer() {
  return {
    heading({ tokens, depth }) {
      const text = this.parser.parseInline(tokens);
      return `<h${depth} id="${slugOf(text)}">${text}</h${depth}>\n`;
    },
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      const guide = /^([a-z-]+)\.md(#.*)?$/.exec(href);
      if (guide) return `<a href="/guides/${guide[1]}${guide[2] ?? ""}">${text}</a>`;
      if (href.startsWith("#")) return `<a href="${href}">${text}</a>`;
      if (/^https?:/.test(href)) return `<a href="${href}" rel="noreferrer">${text}</a>`;
      return text;
    },
    code({ text, lang }) {
      const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
      return `<pre tabindex="0" data-lang="${lang ?? ""}"><code>${escaped}</code></pre>\n`;
    },
  };
}

/** { html, sections: [[id, title]] }: its headings of the second depth. */
export function pageOf(markdown) {
  const marked = new Marked({ gfm: true, renderer: renderer() });
  const html = marked
    .parse(markdown)
    .replaceAll("<table>", '<div class="wide" tabindex="0"><table>')
    .replaceAll("</table>", "</table></div>");
  const sections = [...html.matchAll(/<h2 id="([^"]+)">(.*?)<\/h2>/g)].map(([, id, title]) => [
    id,
    title.replace(/<[^>]+>/g, ""),
  ]);
  return { html, sections };
}

const FOLDER = "../docs";
const FIRST = [
  "first-steps",
  "web",
  "providers",
  "routing",
  "byok",
  "requests",
  "credits",
  "troubleshooting",
  "graphql",
  "keycloak",
  "containers",
  "operations",
  "settings",
];

/** [name, title] of every guide: those a newcomer needs first, then the others by name. */
export function contents() {
  const names = readdirSync(FOLDER)
    .filter((file) => file.endsWith(".md"))
    .map((file) => file.slice(0, -3));
  const place = (name) => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  return names
    .toSorted((one, other) => place(one) - place(other) || one.localeCompare(other))
    .map((name) => [name, titleOf(readFileSync(`${FOLDER}/${name}.md`, "utf8"))]);
}

const titleOf = (markdown) => /^# (.*)$/m.exec(markdown)[1].replaceAll("`", "");

const CONTENTS = "virtual:guides";

/** A Vite plugin: a Markdown file is a module with the page as its default export. */
export function guides() {
  return {
    name: "fairlead-guides",
    enforce: "pre",
    resolveId: (id) => (id === CONTENTS ? `\0${CONTENTS}` : null),
    load: (id) => (id === `\0${CONTENTS}` ? `export default ${JSON.stringify(contents())};` : null),
    transform(source, id) {
      if (!id.endsWith(".md")) return null;
      return { code: `export default ${JSON.stringify(pageOf(source))};`, map: null };
    },
  };
}
