/** Holds the first load (what index.html asks for before any tab) to its budget, gzipped. */
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET_KB = 250;
const built = "../gateway/static";

const page = readFileSync(`${built}/index.html`, "utf8");
const files = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map(
  (found) => found[1],
);
const size =
  files.reduce((sum, file) => sum + gzipSync(readFileSync(built + file)).length, 0) / 1024;

console.log(`First load: ${size.toFixed(0)} KB gzipped of ${BUDGET_KB}, in ${files.length} files`);
if (files.length === 0 || size > BUDGET_KB) process.exit(1);
