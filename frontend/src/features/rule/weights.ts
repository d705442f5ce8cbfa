/** The three weights in basis points, which always sum to 10,000. */

export interface Weights {
  cost: number;
  latency: number;
  quality: number;
}

export type Dimension = keyof Weights;

export const DIMENSIONS: readonly Dimension[] = ["cost", "latency", "quality"];
export const WHOLE = 10_000;

/** One weight set to `value`; the others share what is left in the proportion they had. */
export function rebalanced(weights: Weights, changed: Dimension, value: number): Weights {
  const set = Math.min(WHOLE, Math.max(0, Math.round(value)));
  const [first, second] = DIMENSIONS.filter((each) => each !== changed) as [Dimension, Dimension];
  const left = WHOLE - set;
  const before = weights[first] + weights[second];
  const share = before === 0 ? 0.5 : weights[first] / before;
  const part = Math.round((left * share) / 100) * 100;
  const firstPart = Math.min(left, part);
  return { ...weights, [changed]: set, [first]: firstPart, [second]: left - firstPart };
}
