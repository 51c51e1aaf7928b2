// What each algorithm is expected to cost, beside its name, while a ticket is being written: a dot and the range that
// holds it in eight of ten cases. Asked of the engine a moment after the last key, and again while it stands; of the
// answers that come back the newest wins.

import { $, attr, el, flag, put } from "./dom.js";
import { when } from "./feed.js";
import { known, number, percent, signed } from "./format.js";

const REST_MS = 180; // after the last change
const AGAIN_MS = 2000; // the book moves on
const NAMES = ["adaptive", "twap", "vwap", "pov", "almgren_chriss"]; // in the order of the choice
const LABELS = { "at once": "at once", block: "block" };
const rows = new Map();
let wanted = null; // the order as it stands, as text
let chosen = "";
let told = null; // the newest answer, and of which order
let asked = 0;
let timer = 0;
let flight = null;

export function estimate(order, algorithm) {
  const text = JSON.stringify(order);
  const other = text !== wanted;
  if (other || algorithm !== chosen) {
    [wanted, chosen] = [text, algorithm];
    if (other) later(REST_MS);
    draw();
  }
}

// Nothing is being written.
export function forget() {
  if (wanted === null) return;
  clearTimeout(timer);
  flight?.abort();
  wanted = told = null;
  draw();
}

function later(ms) {
  clearTimeout(timer);
  timer = setTimeout(ask, ms);
}

async function ask() {
  const text = wanted;
  if (text === null || document.hidden) return void (text !== null && later(AGAIN_MS));
  flight?.abort();
  flight = new AbortController();
  const mine = ++asked;
  try {
    const answer = await fetch("/estimate", { method: "POST", body: text, signal: flight.signal });
    if (mine !== asked || wanted !== text) return;
    told = { text, said: await answer.json() };
  } catch (error) {
    if (error.name === "AbortError") return;
    told = { text, said: { ways: [], reason: "the page's server does not answer" } };
  }
  draw();
  if (wanted === text) later(AGAIN_MS);
}

export function start() {
  const box = $("ticket-ways");
  box.append((box.head = line("head")));
  for (const [cell, text] of [["picture", "80 % band"], ["ticks", "ticks"], ["usd", "USD"], ["time", "min"], ["passive", "passive"]]) put(box.head[cell], text);
  for (const name of [...NAMES, "at once", "block"]) {
    const row = line("way");
    row.dataset.way = name;
    put(row.name, LABELS[name] ?? "");
    if (!LABELS[name]) row.addEventListener("click", () => window.dash_clientside.set_props("ticket-algorithm", { value: name }));
    flag(row, "apart", name === "at once");
    rows.set(name, row);
    box.append(row);
  }
  box.append((box.advice = el("p", "advice")));
  when(["link"], draw);
}

function line(className) {
  const row = el("div", className);
  for (const name of ["name", "picture", "ticks", "usd", "time", "passive"]) row.append((row[name] = el("span", name)));
  if (className !== "way") return row;
  row.whisker = el("div", "whisker");
  row.whisker.append((row.zero = el("u")), (row.band = el("i")), (row.dot = el("b")));
  row.picture.append(row.whisker);
  return row;
}

function draw() {
  const said = wanted !== null ? told?.said : null;
  const ways = said?.ways ?? [];
  const box = $("ticket-ways");
  flag($("ticket"), "priced", ways.length);
  flag(box, "old", told && told.text !== wanted);
  const block = said?.book_or_rfq;
  put(box.advice, block?.advice ?? (wanted !== null && said && !ways.length ? said.reason : ""));
  box.advice.title = box.advice.textContent;
  const all = block ? [...ways, block.block] : ways;
  const [low, high] = scaleOf(all);
  for (const [name, row] of rows) fill(row, all.find((way) => way.name === name), (value) => ((value - low) / (high - low)) * 100);
}

// From the lowest to the highest of all ranges, zero inside.
export function scaleOf(ways) {
  const low = Math.min(0, ...ways.map((way) => way.low.ticks));
  const high = Math.max(0, ...ways.map((way) => way.high.ticks));
  const room = Math.max(high - low, 1) * 0.05;
  return [low - room, high + room];
}

function fill(row, way, x) {
  row.hidden = !way;
  if (!way) return;
  const { cost, low, high } = way;
  row.zero.style.left = `${x(0)}%`;
  row.band.style.left = `${x(low.ticks)}%`;
  row.band.style.width = `${x(high.ticks) - x(low.ticks)}%`;
  row.dot.style.left = `${x(cost.ticks)}%`;
  flag(row, "chosen", way.name === chosen);
  put(row.ticks, signed(cost.ticks, 1));
  put(row.usd, known(cost.usd) ? money(cost.usd) : `${signed(cost.coin, 4)}`);
  put(row.time, way.seconds ? number(way.seconds / 60, way.seconds < 600 ? 1 : 0) : "now");
  put(row.passive, percent(way.passive));
  const unfinished = way.done < 0.995 ? `, ${percent(way.done)} done by its end` : "";
  const text = `${signed(cost.ticks, 2)} ticks, ${signed(low.ticks, 1)} … ${signed(high.ticks, 1)} in 8 of 10 cases; ${signed(cost.coin, 5)} coin, ${signed(cost.usd, 0)} USD; ${percent(way.passive)} passive${unfinished}`;
  row.title = way.warning ? `${text}. ▲ ${way.warning}` : text;
  attr(row, "aria-label", `${way.name}: ${row.title}`);
  flag(row, "warned", way.warning || way.done < 0.995);
}

function money(usd) {
  if (Math.abs(usd) >= 1e6) return `${signed(usd / 1e6, 1)}M`;
  return Math.abs(usd) >= 1e4 ? `${signed(usd / 1e3, 0)}k` : signed(usd, 0);
}
