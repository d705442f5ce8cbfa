/** Where models stand by price, on a logarithmic axis cut into the power levels' bands. */

export interface Bands {
  ecoBelow: number;
  precisionFrom: number;
}

/** The defaults of the rules, for those who may not read them. */
export const DEFAULT_BANDS: Bands = { ecoBelow: 0.5, precisionFrom: 10 };

const LEAST = 0.01;
const MOST = 100;

/** 0 at the left end, 1 at the right: dollars per 1M tokens, blended 3:1. */
export function positionOf(price: number): number {
  const inside = Math.min(MOST, Math.max(LEAST, price));
  return Math.log(inside / LEAST) / Math.log(MOST / LEAST);
}

export const TICKS = [0.01, 0.1, 1, 10, 100];
