// The term structure: level, risk reversal and butterfly of all expiries over one axis of time, now and at an earlier moment.

import * as card from "./card.js";
import { shapeOf } from "./cells.js";
import { FONT, PAD, note, path, ruler, sized } from "./charts.js";
import { choice, dayOf } from "./choices.js";
import { $, colour } from "./dom.js";
import { indexOf } from "./factors.js";
import { mark, picked } from "./feed.js";
import { clock, known, number, signed } from "./format.js";
import { ivAt, moneynessOf } from "./svi.js";

const DAY_YEARS = 1 / 365;
const MONTH_YEARS = 30 / 365;
const NAME_PX = 13; // a strip's own line
const DAY_PX = 44;
const VALUE_PX = 32;
const LINE_PX = 12;
const REACH_PX = 20;
const STRIPS = [
  { name: "at the money, %", value: (shape) => ivAt(shape, 0), text: (v) => number(v, 1), share: 0.42, least: 2 },
  { name: "25Δ risk reversal: call − put, pts", value: reversal, text: (v) => signed(v, 1), share: 0.29, least: 1 },
  { name: "25Δ butterfly: wings − middle, pts", value: fly, text: (v) => signed(v, 1), share: 0.29, least: 0.5 },
];
let spots = []; // { code, x }
let at = "";

const wing = (shape, delta) => ivAt(shape, moneynessOf(shape, delta));

function reversal(shape) {
  return wing(shape, 0.25) - wing(shape, 0.75);
}

function fly(shape) {
  return (wing(shape, 0.25) + wing(shape, 0.75)) / 2 - ivAt(shape, 0);
}

export function start() {
  const canvas = $("surface-term");
  canvas.addEventListener("pointermove", (event) => to(near(event.offsetX)));
  canvas.addEventListener("pointerleave", () => to(""));
  canvas.addEventListener("click", () => {
    if (!at) return;
    picked.code = at;
    mark("surface");
  });
}

function near(x) {
  const off = (spot) => Math.abs(spot.x - x);
  return spots.filter((spot) => off(spot) < REACH_PX).sort((a, b) => off(a) - off(b))[0]?.code ?? "";
}

function to(code) {
  if (code === at) return;
  at = code;
  $("surface-term").style.cursor = at ? "pointer" : "";
  if (choice.tab === "term") mark("surface");
}

// By the root of time, as volatility itself spreads. Three strips over one axis.
export function draw(canvas, view, earlier) {
  const { c, w, h } = sized(canvas);
  if (!w || !h) return [];
  c.clearRect(0, 0, w, h);
  spots = [];
  const shown = view.smiles.filter((smile) => smile.years > 0 && (shapeOf(smile) || known(smile.atm_iv)));
  if (!shown.length) return note(c, w, h, "no expiry has an at-the-money volatility yet") ?? [];
  const longest = Math.sqrt(Math.max(...shown.map((smile) => smile.years), DAY_YEARS));
  const x = (years) => PAD.left + 20 + (Math.sqrt(years) / longest) * (w - PAD.left - PAD.right - 40);
  spots = shown.map((smile) => ({ code: smile.code, x: x(smile.years) }));
  const index = indexOf(view);
  month(c, known(index) ? x(MONTH_YEARS) : NaN, w, h);
  let top = 1;
  for (const strip of STRIPS) {
    const tall = (h - PAD.bottom - 2) * strip.share;
    drawStrip(c, strip, valuesOf(strip, shown, earlier), { x, w, top: top + NAME_PX, end: top + tall - 3 });
    top += tall;
  }
  days(c, shown, x, h);
  hint(view, earlier, h);
  return legendOf(shown, index, earlier);
}

// A flat stand-in has a level and nothing else.
function valuesOf(strip, shown, earlier) {
  return shown.map((smile) => {
    const shape = shapeOf(smile);
    const before = shape && earlier?.shapes.find((one) => one.code === smile.code);
    const now = shape ? strip.value(shape) : strip === STRIPS[0] ? smile.atm_iv : null;
    return { smile, value: now, then: before ? strip.value(before) : null };
  });
}

// Thirty days, where the index stands.
function month(c, px, w, h) {
  if (!(px < w - PAD.right)) return;
  const x = Math.round(px) + 0.5;
  c.setLineDash([2, 3]);
  c.strokeStyle = colour("line");
  c.lineWidth = 1;
  path(c, [[x, NAME_PX], [x, h - PAD.bottom]]);
  c.stroke();
  c.setLineDash([]);
}

function drawStrip(c, strip, all, { x, w, top, end }) {
  c.font = FONT;
  c.textAlign = "left";
  c.fillStyle = colour("soft");
  c.fillText(strip.name, PAD.left, top - 4);
  const points = all.filter((one) => known(one.value));
  const values = points.flatMap((one) => [one.value, one.then]).filter(known);
  if (!values.length) return void c.fillText("unknown: no expiry has a smile", PAD.left + 20, (top + end) / 2 + 3);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const reach = Math.max(strip.least, most - least) / 2;
  const [low, high] = [(least + most) / 2 - reach, (least + most) / 2 + reach];
  const y = (value) => end - 5 - ((value - low) / (high - low)) * (end - top - 18); // a line of room for the figures
  scale(c, strip, { low, high, y, w, fine: end - top > 70 });
  const line = (pick) => path(c, points.filter((one) => known(pick(one))).map((one) => [x(one.smile.years), y(pick(one))]));
  c.lineWidth = 1.2;
  c.strokeStyle = colour("text");
  c.setLineDash([1.5, 2.5]);
  line((one) => one.then);
  c.stroke();
  c.setLineDash([]);
  c.lineWidth = 1.5;
  c.strokeStyle = colour("accent");
  line((one) => one.value);
  c.stroke();
  figures(c, strip, points, x, y);
}

function scale(c, strip, { low, high, y, w, fine }) {
  c.textAlign = "right";
  let last = Infinity;
  const marks = ruler(low, high, fine ? 3 : 2);
  const coarse = marks.length > 1 && marks[1] - marks[0] >= 1 && Math.abs(high) >= 10;
  for (const mark of marks) {
    if (last - y(mark) < LINE_PX) continue;
    last = y(mark);
    c.fillStyle = colour("grid");
    c.fillRect(PAD.left, Math.round(y(mark)), w - PAD.left - PAD.right, 1);
    c.fillStyle = colour("soft");
    c.fillText(coarse || mark >= 100 ? number(mark, 0) : strip.text(mark), PAD.left - 4, y(mark) + 3);
  }
}

// The picked expiry's figure always, the others where there is room.
function figures(c, strip, points, x, y) {
  const taken = [];
  const order = [...points].sort((a, b) => (b.smile.code === picked.code) - (a.smile.code === picked.code));
  for (const { smile, value } of order) {
    const on = smile.code === picked.code;
    const px = x(smile.years);
    c.beginPath();
    c.arc(px, y(value), on ? 3.6 : 2.6, 0, 7);
    c.fillStyle = smile.source === "quotes" ? colour(on ? "text" : "accent") : colour("panel");
    c.fill();
    if (smile.source !== "quotes") c.stroke(); // hollow: a stand-in, not a fit to quotes
    if (taken.some((one) => Math.abs(one - px) < VALUE_PX)) continue;
    taken.push(px);
    c.textAlign = "center";
    c.fillStyle = colour(on ? "text" : "soft");
    c.fillText(strip.text(value), px, y(value) - 6);
  }
}

function days(c, shown, x, h) {
  const taken = [];
  c.textAlign = "center";
  for (const smile of [...shown].sort((a, b) => (b.code === picked.code) - (a.code === picked.code) || b.years - a.years)) {
    const px = x(smile.years);
    if (taken.some((one) => Math.abs(one - px) < DAY_PX)) continue;
    taken.push(px);
    c.fillStyle = colour(smile.code === picked.code ? "text" : "soft");
    c.fillText(dayOf(smile).slice(0, -2), px, h - 3);
  }
}

function hint(view, earlier, h) {
  const smile = view.smiles.find((one) => one.code === at);
  const spot = smile && spots.find((one) => one.code === at);
  if (!spot) return card.hide("term");
  const rows = STRIPS.map((strip) => {
    const [{ value, then }] = valuesOf(strip, [smile], earlier);
    const moved = known(then) ? ` (${signed(value - then, 2)})` : "";
    return [strip.name.split(":")[0].replace(", %", ""), known(value) ? strip.text(value) + moved : "unknown"];
  });
  rows.push(["forward", smile.forward > 0 ? number(smile.forward, 1) : "unknown"]);
  rows.push(["from", smile.note || smile.source, smile.source === "quotes" && !smile.note ? "" : "warn"]);
  card.show("term", smile.code, rows, card.box($("surface-term"), spot.x, h / 3));
}

function legendOf(shown, index, earlier) {
  const items = [{ mark: "", text: "over √time" }];
  const built = "the variance swap of the smiles at thirty days, built as DVOL is meant";
  if (known(index)) items.push({ mark: "month", text: `30 d index ${number(index, 2)}`, title: built });
  if (shown.some((smile) => smile.source !== "quotes")) items.push({ mark: "circle", text: "stand-in", title: "not fitted to quotes" });
  if (earlier) items.push({ mark: "curve-then", text: `at ${clock(earlier.t_ms)}` });
  return items;
}

export function leave() {
  at = "";
  card.hide("term");
}
