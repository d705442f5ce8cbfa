/** Writes a gzipped copy beside each file that is worth it, which the server sends to those who take it. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUILT = "../gateway/static/assets";
const WORTH_IT = /\.(js|css|svg|ttf)$/;
const LEAST_BYTES = 1_024;

for (const name of readdirSync(BUILT).filter((each) => WORTH_IT.test(each))) {
  const whole = readFileSync(join(BUILT, name));
  if (whole.length >= LEAST_BYTES) {
    writeFileSync(join(BUILT, `${name}.gz`), gzipSync(whole, { level: 9 }));
  }
}
