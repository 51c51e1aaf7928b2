// All expiries at once: their smiles together, and level, skew and curvature over time.

import { colour } from "./dom.js";
import { FONT, PAD, curve, frame, note, path, ruler, scaleOf, sized } from "./charts.js";
import { indexOf } from "./factors.js";
import { known, number, signed } from "./format.js";
import { ivAt, moneynessOf } from "./svi.js";

const DAY_YEARS = 1 / 365;
const MONTH_YEARS = 30 / 365;
const NAME_PX = 12; // a strip's own line
const STRIPS = [
  { name: "level, %", value: (smile) => smile.atm_iv, text: (v) => number(v, 1), share: 0.46, least: 2 },
  { name: "skew: 25Δ call − put, points", value: reversal, text: (v) => signed(v, 1), share: 0.27, least: 1 },
  { name: "curvature: 25Δ wings − level, points", value: fly, text: (v) => signed(v, 1), share: 0.27, least: 0.5 },
];

const wing = (smile, delta) => ivAt(smile.shape, moneynessOf(smile.shape, delta));

function reversal(smile) {
  return smile.shape && smile.source !== "flat" ? wing(smile, 0.25) - wing(smile, 0.75) : null;
}

function fly(smile) {
  return smile.shape && smile.source !== "flat" ? (wing(smile, 0.25) + wing(smile, 0.75)) / 2 - smile.atm_iv : null;
}

// The near ones bright, the far ones faint, the picked one in the accent.
export function smiles(canvas, view, code) {
  const { c, w, h } = sized(canvas);
  if (!w || !h) return [];
  c.clearRect(0, 0, w, h);
  const fitted = view.smiles.filter((smile) => smile.curve_iv.length);
  const scale = fitted.length && scaleOf(fitted, [], w - 48, h);
  if (!scale) return void note(c, w, h, "no smile is fitted yet");
  frame(c, scale, w, h, fitted);
  let last = -99;
  const ends = fitted.map((smile, i) => ({ smile, i, y: scale.y(smile.curve_iv.at(-1)), x: scale.x(smile.curve_strikes.at(-1)) }));
  for (const { smile, i } of ends) {
    c.globalAlpha = smile.code === code ? 1 : 0.75 - (0.45 * i) / fitted.length;
    curve(c, scale, smile, smile.code === code ? colour("accent") : colour("quote"), smile.code === code ? 2 : 1.2);
  }
  c.globalAlpha = 1;
  c.textAlign = "left";
  for (const { smile, x, y } of ends.sort((a, b) => a.y - b.y)) {
    const at = Math.max(y + 3, last + 12);
    last = at;
    c.fillStyle = smile.code === code ? colour("accent") : colour("soft");
    c.fillText(smile.code.slice(0, -2), x + 5, at);
  }
  return [`${fitted.length} of ${view.smiles.length} fitted`, "expiries that have a smile"];
}

// By the root of time, as volatility itself spreads. Three strips over one axis.
export function term(canvas, view, code) {
  const { c, w, h } = sized(canvas);
  if (!w || !h) return [];
  c.clearRect(0, 0, w, h);
  const shown = view.smiles.filter((smile) => known(smile.atm_iv) && smile.years > 0);
  if (!shown.length) return void note(c, w, h, "no expiry has an at-the-money volatility yet");
  const longest = Math.sqrt(Math.max(...shown.map((smile) => smile.years), DAY_YEARS));
  const x = (smile) => PAD.left + 16 + (Math.sqrt(smile.years) / longest) * (w - PAD.left - PAD.right - 40);
  let top = 2;
  const index = indexOf(view);
  month(c, index, x, h);
  for (const strip of STRIPS) {
    const tall = (h - PAD.bottom - 2) * strip.share;
    drawStrip(c, strip, shown, x, w, top + NAME_PX, top + tall - 5, code);
    top += tall;
  }
  c.textAlign = "center";
  let last = -99;
  for (const smile of shown) {
    if (x(smile) - last < 46) continue;
    last = x(smile);
    c.fillStyle = smile.code === code ? colour("text") : colour("soft");
    c.fillText(smile.code.slice(0, -2), x(smile), h - 3);
  }
  if (!known(index)) return ["over √time", "by expiry, over the root of time"];
  return [`30 d ${number(index, 1)}`, `30-day index ${number(index, 2)} %: the variance swap of the smiles, built as DVOL is meant`];
}

// Thirty days, where the index stands.
function month(c, index, x, h) {
  const at = Math.round(x({ years: MONTH_YEARS })) + 0.5;
  if (!known(index) || at > c.canvas.width) return;
  c.setLineDash([2, 3]);
  c.strokeStyle = colour("line");
  c.lineWidth = 1;
  path(c, [[at, NAME_PX], [at, h - PAD.bottom]]);
  c.stroke();
  c.setLineDash([]);
}

function drawStrip(c, strip, shown, x, w, top, end, code) {
  const points = shown.map((smile) => ({ smile, value: strip.value(smile) })).filter((one) => known(one.value));
  if (!points.length) return;
  const values = points.map((one) => one.value);
  const middle = (Math.max(...values) + Math.min(...values)) / 2;
  const reach = Math.max(strip.least, Math.max(...values) - Math.min(...values)) * 0.62;
  const [low, high] = [middle - reach, middle + reach];
  const y = (value) => end - ((value - low) / (high - low)) * (end - top);
  c.font = FONT;
  c.textAlign = "right";
  for (const mark of ruler(low, high, end - top > 70 ? 4 : 2)) {
    c.fillStyle = colour("grid");
    c.fillRect(PAD.left, Math.round(y(mark)), w - PAD.left - PAD.right, 1);
    c.fillStyle = colour("soft");
    c.fillText(strip.text(mark), PAD.left - 4, y(mark) + 3);
  }
  c.strokeStyle = colour("accent");
  c.lineWidth = 1.5;
  path(c, points.map((one) => [x(one.smile), y(one.value)]));
  c.stroke();
  let last = -99;
  for (const { smile, value } of points) {
    const on = smile.code === code;
    c.beginPath();
    c.arc(x(smile), y(value), on ? 3.6 : 2.6, 0, 7);
    c.fillStyle = on ? colour("text") : colour("accent");
    if (smile.source === "quotes") c.fill();
    else c.stroke(); // hollow: a stand-in, not a fit to quotes
    if (x(smile) - last < 34 && !on) continue;
    last = x(smile);
    c.textAlign = "center";
    c.fillStyle = on ? colour("text") : colour("soft");
    c.fillText(strip.text(value), x(smile), y(value) - 6 < top + 6 ? y(value) + 12 : y(value) - 6);
  }
  c.textAlign = "left";
  c.fillStyle = colour("soft");
  c.fillText(strip.name, PAD.left, top - 3);
}
