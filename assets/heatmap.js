// The depth of the book over time, on the ladder's own rows: size as light, the touch as two lines, trades as bubbles,
// and at the right edge where the model sees the price go.

import { $, colour, surfaceOf } from "./dom.js";
import { instrument, now, views, when } from "./feed.js";
import { known } from "./format.js";
import { prices, ROW, rowOf, yOf } from "./window.js";

const STEP_MS = 300;
const STEP_PX = 2;
const FAN_PX = 34; // at the right edge, for the forecast
const KEPT = 900;
const SILENT = 10; // slots without a drawing after which nobody knows what the book was
const NOTHING = { bids: [], asks: [] };
const AXIS_PX = 14;

let columns = []; // {slot, bids, asks}, oldest first
let trades = [];
let name = "";
let layer = null; // the painted columns, shifted left as time goes
let painted = { version: -1, width: 0, height: 0, last: 0 };
let size;

export function start() {
  size = surfaceOf($("depth"), () => (painted.version = -1));
  when(["ladder", "instrument", "tick"], draw);
}

function draw() {
  const view = views.ladder;
  if (instrument() !== name) {
    name = instrument();
    columns = [];
    trades = [];
    painted.version = -1;
  }
  if (view) gather(view);
  const { c, w, h, scale } = size();
  if (!w || !h) return;
  c.clearRect(0, 0, w, h);
  const width = Math.floor((w - FAN_PX) / STEP_PX) * STEP_PX;
  const height = Math.min(h - AXIS_PX, prices.list.length * ROW);
  if (!columns.length) return;
  paint(width, height, scale);
  c.drawImage(layer, 0, 0, width, height);
  axis(c, width, height);
  c.save();
  c.beginPath();
  c.rect(0, 0, w, height);
  c.clip();
  touch(c, width, "asks", colour("ask"));
  touch(c, width, "bids", colour("bid"));
  bubbles(c, width);
  fan(c, width, w);
  c.restore();
}

// One column a slot of the desk's own time.
function gather(view) {
  const slot = Math.floor(now() / STEP_MS);
  const last = columns[columns.length - 1]?.slot ?? slot - 1;
  if (slot < last - 5 || slot > last + KEPT) columns = []; // a replay has jumped
  const between = slot - last > SILENT ? NOTHING : (columns[columns.length - 1] ?? NOTHING); // unseen stays dark
  for (let next = last + 1; next < slot; next++) columns.push({ ...between, slot: next });
  const { bids, asks } = view.stale ? NOTHING : view;
  if (slot > last) columns.push({ slot, bids, asks });
  if (columns.length > KEPT) columns.splice(0, columns.length - KEPT);
  const newest = trades.length ? trades[trades.length - 1][0] : 0;
  for (const trade of view.trades) if (trade[0] > newest) trades.push(trade);
  if (trades.length > 400) trades.splice(0, trades.length - 400);
}

// Paint what is new, or all of it when the window of prices has moved.
function paint(width, height, scale) {
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (!layer) layer = document.createElement("canvas");
  const whole = painted.version !== prices.version || layer.width !== w || layer.height !== h;
  if (whole) {
    layer.width = w;
    layer.height = h;
    painted.last = 0;
  }
  const c = layer.getContext("2d");
  const fresh = columns.filter((column) => column.slot > painted.last).slice(-Math.floor(width / STEP_PX));
  if (!fresh.length) return;
  const step = STEP_PX * scale;
  c.setTransform(1, 0, 0, 1, 0, 0);
  if (!whole) {
    c.globalCompositeOperation = "copy";
    c.drawImage(layer, -fresh.length * step, 0);
    c.globalCompositeOperation = "source-over";
  }
  const top = strongest();
  fresh.forEach((column, i) => {
    const x = w - (fresh.length - i) * step;
    cells(c, x, step, column.bids, colour("bid"), top, scale);
    cells(c, x, step, column.asks, colour("ask"), top, scale);
  });
  c.globalAlpha = 1;
  painted = { version: prices.version, last: columns[columns.length - 1].slot };
}

function cells(c, x, step, levels, tint, top, scale) {
  c.fillStyle = tint;
  for (const [units, contracts] of levels) {
    const row = rowOf(units);
    if (row < 0) continue;
    c.globalAlpha = 0.06 + 0.6 * Math.min(1, (contracts / top) ** 0.8);
    c.fillRect(x, (row * ROW + 0.5) * scale, step, (ROW - 1) * scale);
  }
}

// What counts as a full cell: the 95th percentile of the sizes now shown, so that one giant does not darken the rest.
function strongest() {
  const { bids, asks } = columns[columns.length - 1];
  const all = [...bids, ...asks].map((level) => level[1]).sort((a, b) => a - b);
  return all[Math.floor(all.length * 0.95)] || 1;
}

const xOf = (t, width) => width - (columns[columns.length - 1].slot + 1 - t / STEP_MS) * STEP_PX;

function touch(c, width, side, tint) {
  c.beginPath();
  c.strokeStyle = tint;
  c.lineWidth = 1.3;
  let before = null;
  const shown = columns.slice(-Math.ceil(width / STEP_PX) - 1);
  shown.forEach((column, i) => {
    const best = column[side][0]?.[0];
    const y = best === undefined ? null : yOf(best);
    const x = width - (shown.length - i) * STEP_PX;
    if (y === null) before = null;
    else {
      if (before === null) c.moveTo(x, y);
      else c.lineTo(x, before);
      c.lineTo(x + STEP_PX, y);
      before = y;
    }
  });
  c.stroke();
}

function bubbles(c, width) {
  const first = Math.max(0, width - columns.length * STEP_PX);
  for (const [t, units, contracts, aggressor] of trades) {
    const x = xOf(t, width);
    const y = yOf(units);
    if (x < first || y === null) continue;
    c.beginPath();
    c.arc(Math.min(x, width), y, Math.min(9, 1.6 + 1.5 * Math.sqrt(contracts)), 0, 7);
    c.fillStyle = colour(aggressor === "buy" ? "bid" : "ask");
    c.globalAlpha = 0.8;
    c.fill();
    c.globalAlpha = 1;
    c.lineWidth = 1;
    c.strokeStyle = colour("panel");
    c.stroke();
  }
}

// Where the price may be a moment from now: as tall as "moves" is far, as bright as it is likely. Grey without an edge.
function fan(c, width, w) {
  const { ladder, gauges } = views;
  const forecast = gauges?.forecast;
  if (!forecast?.warm || !known(ladder?.micro) || ladder.stale) return;
  const y = yOf(ladder.micro);
  if (y === null) return;
  const edge = gauges.skill.direction?.verdict === "edge" && forecast.familiar;
  const reach = ROW * 1.4;
  const wedge = (rise, chance, tint) => {
    c.beginPath();
    c.moveTo(width + 2, y);
    c.lineTo(w - 1, y - rise * reach);
    c.lineTo(w - 1, y - rise * reach * 0.12);
    c.closePath();
    c.fillStyle = edge ? tint : colour("soft");
    c.globalAlpha = 0.06 + 0.4 * chance;
    c.fill();
    c.globalAlpha = 1;
  };
  wedge(1, forecast.up, colour("bid"));
  wedge(-1, forecast.down, colour("ask"));
}

function axis(c, width, height) {
  c.fillStyle = colour("soft");
  c.font = "10px system-ui, sans-serif";
  c.textAlign = "center";
  const end = (columns[columns.length - 1].slot + 1) * STEP_MS;
  for (let s = 15; ; s += 15) {
    const x = xOf(end - s * 1000, width);
    if (x < 12) break;
    c.fillText(`−${s} s`, x, height + 11);
    c.fillRect(x, height - 3, 1, 3);
  }
  c.textAlign = "right";
  c.fillText("now", width, height + 11);
}
