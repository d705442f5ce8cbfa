/** Dated prices as paths of an SVG: each holds until the next one begins. */

interface Dated {
  validFrom: string;
  input: string;
  output: string;
}

interface Steps {
  paths: { input: string; output: string };
  most: number;
  since: number;
}

/** `prices` newest first; those of the future are drawn at its right end. */
export function stepsOf(prices: readonly Dated[], now: number, width: number, height: number) {
  const dated = prices
    .map((each) => ({ ...each, at: new Date(each.validFrom).getTime() }))
    .toReversed();
  const since = dated[0]?.at ?? now;
  const until = Math.max(now, dated.at(-1)?.at ?? now);
  const most = Math.max(0.000001, ...dated.flatMap((each) => [+each.input, +each.output]));
  const x = (at: number) => (until === since ? 0 : ((at - since) / (until - since)) * width);
  const y = (amount: string) => height - (Number(amount) / most) * height;
  const path = (part: "input" | "output") => {
    const steps = dated.map((each, index) => {
      const draw = index === 0 ? "M" : "H";
      const to = `${x(each.at).toFixed(1)}`;
      const level = y(each[part]).toFixed(1);
      return draw === "M" ? `M${to} ${level}` : `H${to} V${level}`;
    });
    return [...steps, `H${width}`].join(" ");
  };
  const found: Steps = { paths: { input: path("input"), output: path("output") }, most, since };
  return found;
}
