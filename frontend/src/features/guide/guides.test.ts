import { expect, test } from "vitest";
import { pageOf } from "../../../scripts/guides.mjs";
import { GUIDES, loadGuide } from "./guides";

test("headings can be linked to as on GitHub, and links between guides stay in the app", () => {
  const { html, sections } = pageOf(
    "# T\n\n## When the `test` fails\n\n[a](providers.md#your-own-servers-custom) [b](#x)\n",
  );
  expect(sections).toEqual([["when-the-test-fails", "When the test fails"]]);
  expect(html).toContain('href="/guides/providers#your-own-servers-custom"');
  expect(html).toContain('href="#x"');
});

test("what is code is never markup", () => {
  expect(pageOf("```html\n<script>x</script>\n```\n").html).toContain("&lt;script>");
});

test("every guide is there, and every link within leads somewhere", async () => {
  const pages = await Promise.all(
    GUIDES.map(async ([name]) => [name, await loadGuide(name)] as const),
  );
  const anchors = new Map(
    pages.map(([name, { html }]) => [name, [...html.matchAll(/id="([^"]+)"/g)].map((id) => id[1])]),
  );
  const broken = pages.flatMap(([name, { html }]) =>
    [...html.matchAll(/href="(?:\/guides\/([a-z-]+))?(?:#([^"]+))?"/g)]
      .filter(
        ([, guide = name, id]) => !anchors.has(guide) || (id && !anchors.get(guide)?.includes(id)),
      )
      .map(([link]) => `${name}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test("titles are plain text", () => {
  expect(GUIDES.filter(([, title]) => /[`*<]/.test(title))).toEqual([]);
});
