// What the line charts of volatility share: their margins, their scales, their rulers.

import { along, marksOf, roomy } from "./abscissa.js";
import { colour, surfaceOf } from "./dom.js";
import { mark } from "./feed.js";
import { known, number } from "./format.js";

export const PAD = { left: 30, right: 8, top: 8, bottom: 16 };
export const FONT = "10px system-ui, sans-serif";
const LABEL_PX = 36; // between labels of the foot
const sizes = new WeakMap();

export function sized(canvas) {
  if (!sizes.has(canvas)) sizes.set(canvas, surfaceOf(canvas, () => mark("surface")));
  return sizes.get(canvas)();
}

// A common scale for smiles: x by kind, y by IV, robust against a lone wild quote. `h`: where the chart ends; `more`:
// IVs that must be seen too.
export function scaleOf(kind, list, quotes, w, h, more = []) {
  const xs = list.flatMap((s) => [...s.points.map((p) => p.strike), ...s.curve_strikes].map((k) => along(kind, s, k))).filter(known);
  const fits = list.flatMap((s) => s.curve_iv).concat(more).filter(known);
  const mids = quotes.flatMap((q) => [q.mid_iv, q.bid_iv, q.ask_iv, q.mark_iv]).filter(known).sort((a, b) => a - b);
  const core = fits.length ? fits.concat(mids.slice(Math.floor(mids.length * 0.05), Math.ceil(mids.length * 0.95))) : mids;
  if (!xs.length || !core.length) return null;
  const [k0, k1] = kind === "delta" ? [0, 1] : spread(Math.min(...xs), Math.max(...xs));
  let [low, high] = [Math.min(...core), Math.max(...core)];
  const room = Math.max(1, (high - low) * 0.12);
  [low, high] = [Math.max(0, low - room), high + room];
  const [x0, x1, y0, y1] = [PAD.left, w - PAD.right, h - PAD.bottom, PAD.top];
  const px = (at) => x0 + 6 + ((at - k0) / (k1 - k0)) * (x1 - x0 - 12);
  return {
    low,
    high,
    px,
    kind,
    x: (k, smile) => px(along(kind, smile, k)),
    y: (iv) => Math.min(h, Math.max(0, y0 - ((iv - low) / (high - low)) * (y0 - y1))),
  };
}

// A lone strike stands in the middle.
const spread = (low, high) => (high > low ? [low, high] : [low - 0.05, high + 0.05]);

export function ruler(low, high, want) {
  const raw = (high - low) / want;
  if (!(raw > 0)) return [low];
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw * 0.75);
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

// The ruler of IVs, and the kind's marks along the foot of the canvas at `h`.
export function frame(c, scale, w, h, list) {
  const want = h > 130 ? 5 : 3;
  const marks = ruler(scale.low, scale.high, want);
  lines(c, scale, w, want, marks.length > 1 && marks[1] - marks[0] < 0.99 ? 1 : 0);
  c.textAlign = "center";
  c.fillStyle = colour("soft");
  for (const { text, px } of roomy(marksOf(scale.kind, list), scale.px, LABEL_PX, PAD.left + 2, w - PAD.right - 4)) {
    c.fillRect(Math.round(px), h - PAD.bottom, 1, 3);
    c.fillText(text, Math.min(px, w - 14), h - 3);
  }
}

export function path(c, points) {
  c.beginPath();
  points.forEach(([x, y], i) => c[i ? "lineTo" : "moveTo"](x, y));
}

const DASHES = { quotes: [], marks: [6, 3], flat: [2, 4] };

// The fit; broken where it is a stand-in, so that no colour has to say it.
export function curve(c, scale, smile, tint, width) {
  c.strokeStyle = tint;
  c.lineWidth = width;
  c.setLineDash(DASHES[smile.source] ?? []);
  path(c, smile.curve_strikes.map((k, i) => [scale.x(k, smile), scale.y(smile.curve_iv[i])]));
  c.stroke();
  c.setLineDash([]);
}

// The fit of an earlier moment, at the same strikes, moneyness or deltas: thin dots.
export function earlierCurve(c, scale, smile, ivs, tint) {
  if (!ivs.length) return;
  c.strokeStyle = tint;
  c.lineWidth = 1.2;
  c.setLineDash([1.5, 2.5]);
  path(c, smile.curve_strikes.map((k, i) => [scale.x(k, smile), scale.y(ivs[i])]));
  c.stroke();
  c.setLineDash([]);
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
