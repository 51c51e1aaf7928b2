// Progress of one parent order: what is done against what was due, and the price it was done at.

import { $, colour, el, put, surfaceOf } from "./dom.js";
import { now, views, when } from "./feed.js";
import { amount, hm, known, number, percent, signed } from "./format.js";
import { focus } from "./orders.js";

const AXIS = 18;
const PAD = { left: 34, right: 10, top: 8, bottom: AXIS + 36 };
const FIGURES = ["average", "arrival", "shortfall", "cost", "of volume", "done by"]; // what is left of its time stands in its row
let size;
let figures = {};
let due = new Map(); // parent → [[ms, scheduled]], as seen while this page was open

export function start() {
  for (const name of FIGURES) {
    const box = el("div", "stat");
    box.append(el("span", "cap", name), (figures[name] = el("span", "val", "–")));
    $("progress-figures").append(box);
  }
  size = surfaceOf($("progress"), draw);
  when(["desk", "tick"], draw);
}

function parent() {
  const all = views.desk?.parents ?? [];
  const live = all.filter((one) => one.state === "working" || one.state === "paused" || one.state === "halted");
  return all.find((one) => one.id === focus.parent) ?? live[0] ?? all[0];
}

function draw() {
  const one = parent();
  put($("progress-name"), one?.instrument ?? "");
  tell(one);
  const { c, w, h } = size();
  if (!w || !h) return;
  c.clearRect(0, 0, w, h);
  if (!one) {
    put($("progress-sum"), "");
    c.fillStyle = colour("soft");
    c.font = "12px system-ui, sans-serif";
    c.textAlign = "center";
    c.fillText(views.desk ? "no parent order yet" : "", w / 2, h / 2);
    return;
  }
  remember(one);
  const left = one.filled - one.scheduled;
  const pace = Math.abs(left) < one.amount * 0.005 ? "on schedule" : `${amount(Math.abs(left))} ${left > 0 ? "ahead" : "behind"}`;
  put($("progress-sum"), `${percent(one.filled / one.amount)} · ${pace}`);
  chart(c, w, h, one);
}

// How it goes so far, in figures; why it stands still, where it does.
function tell(one) {
  $("progress-figures").hidden = !one;
  put($("progress-why"), one ? standing(one) : "");
  if (!one) return;
  const digits = one.digits;
  put(figures.average, known(one.average) ? number(one.average, digits + 1) : "–");
  put(figures.arrival, known(one.arrival) ? number(one.arrival, digits + 1) : "–");
  const usd = views.costs?.parents.find((row) => row.id === one.id)?.usd?.total; // against the price at its decision
  put(figures.shortfall, known(one.shortfall_ticks) ? `${signed(one.shortfall_ticks, 1)} t` : "–");
  put(figures.cost, known(usd) ? `${signed(usd, 0)} $` : "–");
  put(figures["of volume"], known(one.participation) ? percent(one.participation) : "–");
  put(figures["done by"], known(one.eta_ms) ? `${one.eta_ms > one.end_ms + 1000 ? "▲ late " : ""}${hm(one.eta_ms)}` : "–");
}

function standing(one) {
  if (one.state !== "working") return one.reason ? `${one.state}: ${one.reason}` : one.state;
  const rests = Math.ceil((one.halted_until_ms - now()) / 1000);
  if (one.suspended) return `▲ suspended: ${one.suspended}`;
  if (rests > 0) return `▲ ${one.reason}, ${rests} s to go`;
  return one.reason ? `▲ ${one.reason}` : "";
}

function remember(one) {
  if (!due.has(one.id)) due.set(one.id, []);
  const seen = due.get(one.id);
  const t = Math.min(now(), one.end_ms);
  if (!seen.length || t - seen[seen.length - 1][0] > 1000) seen.push([t, one.scheduled]);
}

function chart(c, w, h, one) {
  const end = Math.max(one.end_ms, one.start_ms + 1000);
  const x = (t) => PAD.left + (Math.min(1, Math.max(0, (t - one.start_ms) / (end - one.start_ms))) * (w - PAD.left - PAD.right));
  const y = (lots) => h - PAD.bottom - (lots / one.amount) * (h - PAD.bottom - PAD.top);
  axes(c, w, h, one, x, y, end);
  planned(c, one, x, y, end);
  const steps = done(one);
  area(c, steps, one, x, y);
  prices(c, one, steps, x, h);
}

function axes(c, w, h, one, x, y, end) {
  c.font = "10px system-ui, sans-serif";
  c.textAlign = "right";
  for (const share of [0, 0.5, 1]) {
    c.fillStyle = colour("grid");
    c.fillRect(PAD.left, Math.round(y(one.amount * share)), w - PAD.left - PAD.right, 1);
    c.fillStyle = colour("soft");
    c.fillText(amount(one.amount * share), PAD.left - 6, y(one.amount * share) + 3);
  }
  c.textAlign = "left";
  c.fillText(hm(one.start_ms), PAD.left, h - 4);
  c.textAlign = "right";
  c.fillText(hm(end), w - PAD.right, h - 4);
  const t = now();
  if (t > one.start_ms && t < end) {
    c.fillStyle = colour("line");
    c.fillRect(Math.round(x(t)), PAD.top, 1, h - PAD.top - PAD.bottom);
    c.fillStyle = colour("soft");
    c.textAlign = "center";
    if (x(t) > PAD.left + 56 && x(t) < w - 50) c.fillText(hm(t), x(t), h - 4);
  }
}

// The plan is even from start to end; where the engine has said otherwise while we looked, its word stands.
function planned(c, one, x, y, end) {
  c.setLineDash([4, 4]);
  c.lineWidth = 1.2;
  c.strokeStyle = colour("soft");
  c.beginPath();
  c.moveTo(x(one.start_ms), y(0));
  for (const [t, scheduled] of due.get(one.id)) c.lineTo(x(t), y(scheduled));
  c.lineTo(x(end), y(one.amount));
  c.stroke();
  c.setLineDash([]);
}

function done(one) {
  const children = new Set(views.desk.children.filter((child) => child.parent === one.id).map((child) => child.id));
  const fills = views.desk.fills.filter((fill) => children.has(fill.child) || fill.adopted === one.id).sort((a, b) => a.t_ms - b.t_ms);
  let total = 0;
  return fills.map((fill) => ({ t: fill.t_ms, total: (total += fill.amount), price: fill.price, maker: fill.maker }));
}

function area(c, steps, one, x, y) {
  const stop = Math.max(one.start_ms, Math.min(now(), one.end_ms));
  const path = new Path2D();
  path.moveTo(x(one.start_ms), y(0));
  let before = 0;
  for (const step of steps) {
    path.lineTo(x(step.t), y(before));
    path.lineTo(x(step.t), y((before = step.total)));
  }
  path.lineTo(x(stop), y(before));
  const under = new Path2D(path);
  under.lineTo(x(stop), y(0));
  under.closePath();
  c.globalAlpha = 0.1;
  c.fillStyle = colour("accent");
  c.fill(under);
  c.globalAlpha = 1;
  c.strokeStyle = colour("accent");
  c.lineWidth = 2;
  c.stroke(path);
}

// Fill prices in a strip of their own, under the limit that none may cross. A maker's is round, a taker's square.
function prices(c, one, steps, x, h) {
  const all = steps.map((step) => step.price).concat([one.limit || null, one.arrival].filter(known));
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const [top, bottom] = [h - PAD.bottom + 8, h - AXIS - 8];
  const y = (price) => bottom - ((price - low) / (high - low || 1)) * (bottom - top);
  c.fillStyle = colour("soft");
  c.textAlign = "right";
  c.fillText("price", PAD.left - 6, (top + bottom) / 2 + 3);
  c.fillStyle = colour("warn");
  c.globalAlpha = 0.35;
  if (one.limit > 0) c.fillRect(PAD.left, Math.round(y(one.limit)), c.canvas.clientWidth - PAD.left - PAD.right, 1);
  c.globalAlpha = 0.85;
  for (const step of steps) {
    c.beginPath();
    if (step.maker) c.arc(x(step.t), y(step.price), 2, 0, 7);
    else c.rect(x(step.t) - 2, y(step.price) - 2, 4, 4);
    c.fill();
  }
  c.globalAlpha = 1;
  c.fillText(one.limit > 0 ? `limit ${number(one.limit, one.limit >= 1000 ? 1 : 4)}` : "", c.canvas.clientWidth - PAD.right, y(one.limit) + (one.side === "buy" ? 11 : -4));
}
