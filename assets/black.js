// Black-76 in coin: what the ladder needs to show a price as an implied volatility. Forward and strike in USD.

const YEAR_MS = 365 * 24 * 3600 * 1000;

// Abramowitz and Stegun 7.1.26 by way of erfc; absolute error below 1e-7, far under a tick of IV.
export function normal(x) {
  const t = 1 / (1 + 0.3275911 * (Math.abs(x) / Math.SQRT2));
  const poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const tail = 0.5 * poly * Math.exp((-x * x) / 2);
  return x > 0 ? 1 - tail : tail;
}

export function premium(forward, strike, years, iv, call) {
  const s = iv * Math.sqrt(years);
  const d1 = Math.log(forward / strike) / s + s / 2;
  const value = normal(d1) - (strike / forward) * normal(d1 - s);
  return call ? value : value - 1 + strike / forward;
}

// Price in coin → IV as a fraction; null where no volatility gives that price.
export function implied(price, forward, strike, years, call) {
  const floor = Math.max(0, call ? 1 - strike / forward : strike / forward - 1);
  if (!(years > 0) || price <= floor || price >= (call ? 1 : strike / forward)) return null;
  let [low, high] = [0.001, 8];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (premium(forward, strike, years, middle, call) < price) low = middle;
    else high = middle;
  }
  return high < 7.9 ? (low + high) / 2 : null;
}

export const years = (expiryMs, nowMs) => Math.max(0, expiryMs - nowMs) / YEAR_MS;
