// What the line charts of volatility share: their margins, their scales, their rulers.

import { colour, surfaceOf } from "./dom.js";
import { mark } from "./feed.js";
import { known, number, strike } from "./format.js";

export const PAD = { left: 30, right: 8, top: 8, bottom: 16 };
export const FONT = "10px system-ui, sans-serif";
const sizes = new WeakMap();

export function sized(canvas) {
  if (!sizes.has(canvas)) sizes.set(canvas, surfaceOf(canvas, () => mark("surface")));
  return sizes.get(canvas)();
}

// A common scale for smiles: x by log-strike, y by IV, robust against a lone wild quote. `h`: where the chart ends.
export function scaleOf(list, quotes, w, h) {
  const ks = list.flatMap((s) => [...s.curve_strikes, ...s.points.map((p) => p.strike)]).filter((k) => k > 0);
  const fits = list.flatMap((s) => s.curve_iv).filter(known);
  const mids = quotes.flatMap((q) => [q.mid_iv, q.bid_iv, q.ask_iv, q.mark_iv]).filter(known).sort((a, b) => a - b);
  const core = fits.length ? fits.concat(mids.slice(Math.floor(mids.length * 0.05), Math.ceil(mids.length * 0.95))) : mids;
  if (!ks.length || !core.length) return null;
  const [k0, k1] = [Math.log(Math.min(...ks)), Math.log(Math.max(...ks))];
  let [low, high] = [Math.min(...core), Math.max(...core)];
  const room = Math.max(1, (high - low) * 0.12);
  [low, high] = [Math.max(0, low - room), high + room];
  const [x0, x1, y0, y1] = [PAD.left, w - PAD.right, h - PAD.bottom, PAD.top];
  return {
    low,
    high,
    x: (k) => x0 + 6 + ((Math.log(k) - k0) / (k1 - k0 || 1)) * (x1 - x0 - 12),
    y: (iv) => Math.min(h, Math.max(0, y0 - ((iv - low) / (high - low)) * (y0 - y1))),
  };
}

export function ruler(low, high, want) {
  const raw = (high - low) / want;
  if (!(raw > 0)) return [low];
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw * 0.999);
  const marks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) marks.push(i * step);
  return marks;
}

export function lines(c, scale, w, want, digits = 0) {
  c.font = FONT;
  c.textAlign = "right";
  c.textBaseline = "middle";
  for (const iv of ruler(scale.low, scale.high, want)) {
    const y = Math.round(scale.y(iv)) + 0.5;
    c.fillStyle = colour("grid");
    c.fillRect(PAD.left, y - 0.5, w - PAD.left - PAD.right, 1);
    c.fillStyle = colour("soft");
    c.fillText(number(iv, digits), PAD.left - 5, y);
  }
  c.textBaseline = "alphabetic";
}

// The ruler of IVs, and strikes along the foot of the canvas at `h`.
export function frame(c, scale, w, h, list) {
  lines(c, scale, w, h > 130 ? 5 : 3);
  c.textAlign = "center";
  c.fillStyle = colour("soft");
  let last = -99;
  for (const k of [...new Set(list.flatMap((s) => s.points.map((p) => p.strike)))].sort((a, b) => a - b)) {
    const x = scale.x(k);
    if (x - last < 34 || x > w - 12) continue;
    last = x;
    c.fillText(strike(k), x, h - 3);
  }
}

export function path(c, points) {
  c.beginPath();
  points.forEach(([x, y], i) => c[i ? "lineTo" : "moveTo"](x, y));
}

export function curve(c, scale, smile, tint, width) {
  c.strokeStyle = tint;
  c.lineWidth = width;
  path(c, smile.curve_strikes.map((k, i) => [scale.x(k), scale.y(smile.curve_iv[i])]));
  c.stroke();
}

export function stroke(c, x0, y0, x1, y1) {
  path(c, [[x0, y0], [x1, y1]]);
  c.stroke();
}

export function note(c, w, h, text) {
  c.fillStyle = colour("soft");
  c.textAlign = "center";
  c.font = "12px system-ui, sans-serif";
  c.fillText(text, w / 2, h / 2);
}
