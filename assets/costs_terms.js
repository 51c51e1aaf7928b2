// The terms of a shortfall, in their order and in words, and how a cost is written.

import { known, signed } from "./format.js";

export const TERMS = ["delay", "underlying", "volatility", "timing", "spread", "impact", "opportunity", "fees"];
export const TELLS = {
  delay: "from the decision to the arrival, on the whole order",
  underlying: "the underlying's move × delta, on what was filled",
  volatility: "the volatility's move × vega, on what was filled",
  timing: "the rest of the market's own move",
  spread: "half the spread, paid by what took and earned by what rested",
  impact: "fills against the micro-price before them, less the half spread",
  opportunity: "what was not filled, at the final price",
  fees: "as the venue charged them",
  total: "against the micro-price at the decision; the terms sum to it exactly",
};

export const plain = (value, digits) => (known(value) ? signed(Math.abs(value) < 0.5 * 10 ** -digits ? 0 : value, digits) : "–");
