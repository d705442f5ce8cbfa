/**
 * Runs the graphql-http server audits against a live server and prints each deviation.
 * Usage: node tests/e2e/audits.mjs http://127.0.0.1:8000/graphql
 * Exit status 1 when a MUST is not met.
 */
import { createRequire } from "node:module";

const require = createRequire(new URL("../../frontend/package.json", import.meta.url));
const { auditServer } = require("graphql-http");

const url = process.argv[2];
if (!url) {
  console.error("usage: node tests/e2e/audits.mjs URL");
  process.exit(2);
}

const results = await auditServer({ url, fetchFn: fetch });
const deviations = results.filter((result) => result.status !== "ok");
for (const { id, name, status, reason } of deviations) {
  console.log(`${status} ${id} ${name}: ${reason}`);
}
const broken = deviations.filter(({ name }) => name.startsWith("MUST"));
const musts = results.filter(({ name }) => name.startsWith("MUST"));
console.log(
  `${results.length - deviations.length} of ${results.length} audits passed; ` +
    `MUST: ${musts.length - broken.length} of ${musts.length}`,
);
process.exit(broken.length > 0 ? 1 : 0);
