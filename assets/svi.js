// A smile from its numbers, as the engine sends them: where it is, and which strike has a delta. IVs in per cent.

import { normal } from "./black.js";

const REACH = 12; // deviations to either side in which a delta is looked for

// IV at log-moneyness k: the highest of the slices, each a split SVI of total variance.
export function ivAt(shape, k) {
  let w = 0;
  for (const [a, b1, m1, sigma1, b2, m2, sigma2] of shape.slices) {
    const [left, right] = [Math.hypot(k - m1, sigma1) - (k - m1), Math.hypot(k - m2, sigma2) + (k - m2)];
    w = Math.max(w, a + b1 * left + b2 * right);
  }
  return 100 * Math.sqrt(w / shape.years);
}

// Forward delta of a call, N(d1), with the smile's own volatility at its strike.
export function deltaAt(shape, k) {
  const s = (ivAt(shape, k) / 100) * Math.sqrt(shape.years);
  return s > 0 ? normal(-k / s + s / 2) : Number(k < 0);
}

// The log-moneyness at which a call has this delta; the delta falls as strikes rise.
export function moneynessOf(shape, delta) {
  const s = Math.max((ivAt(shape, 0) / 100) * Math.sqrt(shape.years), 1e-4);
  let [low, high] = [-REACH * s, REACH * s];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (deltaAt(shape, middle) > delta) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
