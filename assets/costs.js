// What orders cost: the parents with their shortfall by term, one of them in full, and all decisions and fills together.

import * as course from "./costs_course.js";
import * as more from "./costs_tables.js";
import { TELLS, TERMS, plain } from "./costs_terms.js";
import { $, attr, el, flag, keyed, put } from "./dom.js";
import { mark, views, when } from "./feed.js";
import { clock, day, known, number, percent } from "./format.js";
import { cells, table } from "./heads.js";
import { page } from "./route.js";
import { chosenTab, tabsOf } from "./tabs.js";

const UNITS = { ticks: ["ticks", 2, "ticks a contract of the order"], vol: ["vol", 2, "vol points a contract of the order"], coin: ["coin", 5, "coin, the whole order"], USD: ["usd", 0, "USD, the whole order"] };
const COLUMNS = [
  ["id", "parent"],
  ["began", "taken up", "UTC"],
  ["instrument", "instrument"],
  ["side", ""],
  ["algorithm", "algorithm"],
  ["state", "state"],
  ["num filled", "filled"],
  ["num decision", "decision", "micro-price when it was taken up"],
  ["num average", "average", "of its fills"],
  ...TERMS.map((term) => [`num ${term}`, term, TELLS[term]]),
  ["num total", "shortfall", TELLS.total],
];
const EVERY_MS = 1900; // between two looks at a parent in full
let rows;
let picked = ""; // by a person; else the newest
let detail = null; // of the picked parent, as it was last fetched
let asked = 0;
let wanted = "";

export function start() {
  rows = table($("costs-table"), COLUMNS, "what parents cost");
  tabsOf("costs-unit", () => mark("cost"));
  more.start();
  course.start();
  when(["costs", "page", "cost", "link", "tick"], draw);
}

const shown = () => views.costs?.parents.find((row) => row.id === picked) ?? views.costs?.parents[0];
export const found = () => (detail && detail.parent.id === shown()?.id ? detail : null);

function draw() {
  if (page() !== "costs") return;
  const view = views.costs;
  const one = shown();
  const [field, digits, told] = UNITS[chosenTab("costs-unit")];
  put($("costs-note"), view ? `${told}; a cost is above zero` : "waiting for the engine");
  keyed(rows.body, view?.parents ?? [], (row) => row.id, make, (tr, row) => fill(tr, row, field, digits, row === one));
  put($("costs-foot"), foot(view));
  look(one);
  falls(one, field, digits);
  benchmarks(one);
  files(one);
  course.draw(found());
  more.draw(view, found());
}

function foot(view) {
  if (!view) return "";
  if (!view.parents.length) return "No order has been taken up on this desk yet.";
  const lost = view.parents.filter((row) => Object.keys(row.unknown).length).length;
  const older = view.more ? `${view.more} older are in the report; ` : "";
  const missing = lost ? `${lost} with terms that are not known (~): the market was not seen or not kept then, and what they hold is in timing; ` : "";
  return `${older}${missing}what is left of a running order counts at the present price`;
}

function make(row) {
  const tr = cells(COLUMNS);
  attr(tr, "data-parent", row.id);
  tr.addEventListener("click", () => pick(row.id));
  tr.name = el("button", "link", row.id);
  tr.name.type = "button";
  tr.at.id.append(tr.name);
  return tr;
}

export function pick(id) {
  picked = id;
  asked = 0;
  mark("cost");
}

function fill(tr, row, field, digits, on) {
  const at = tr.at;
  attr(tr, "aria-selected", on);
  attr(tr.name, "aria-pressed", on);
  put(at.began, `${day(row.start_ms)} ${clock(row.start_ms)}`);
  put(at.instrument, row.instrument);
  put(at.side, row.side);
  at.side.className = `c-side ${row.side === "buy" ? "up" : "down"}`;
  put(at.algorithm, row.algorithm);
  put(at.state, row.state);
  put(at.filled, `${number(row.filled, row.filled % 1 ? 1 : 0)} of ${number(row.amount, row.amount % 1 ? 1 : 0)}`);
  put(at.decision, number(row.decision, row.digits + 1));
  put(at.average, number(row.average, row.digits + 1));
  for (const term of [...TERMS, "total"]) {
    const share = row.unknown[term] ?? 0;
    const value = row[field]?.[term];
    put(at[term], share >= 1 ? "~" : `${share ? "~ " : ""}${plain(value, digits)}`);
    at[term].title = share ? `${percent(share)} of the lots: not known` : "";
    attr(at[term], "data-tone", term === "total" ? tone(value) : "");
  }
}

const tone = (value) => (!known(value) || value === 0 ? "none" : value > 0 ? "paid" : "earned");

// ---------------------------------------------------------------- one parent in full

async function look(one) {
  if (!one || (wanted === one.id && performance.now() - asked < EVERY_MS) || !views.link.page) return;
  const still = detail?.parent.id === one.id && JSON.stringify(detail.parent) === JSON.stringify(one) && settled(detail);
  if (still) return;
  wanted = one.id;
  asked = performance.now();
  try {
    const answer = await fetch(`/cost?form=json&parent=${encodeURIComponent(one.id)}`);
    if (!answer.ok) return;
    detail = await answer.json();
    mark("cost");
  } catch {
    // the feed says that the page is cut off; the next turn asks again
  }
}

// Nothing of it will change: it has ended, and each markout has come or was missed.
function settled({ parent, fills }) {
  const last = Math.max(0, ...fills.map((fill) => fill.t_ms));
  return !["working", "paused"].includes(parent.state) && (views.status?.now_ms ?? 0) > last + 62_000;
}

function falls(one, field, digits) {
  put($("costs-name"), one ? `${one.id} ${one.side} ${number(one.amount)} ${one.instrument}` : "");
  const terms = one?.[field];
  put($("costs-said"), one ? (terms ? UNITS[chosenTab("costs-unit")][2] : "nothing is known of its prices in this unit") : "");
  const items = terms ? waterfall(terms, one.unknown) : [];
  keyed($("costs-waterfall"), items, (item) => item.term, bar, (row, item) => {
    put(row.value, item.share >= 1 ? "not known" : plain(item.value, digits));
    flag(row.value, "dim", item.share > 0);
    row.fill.style.left = `${item.left.toFixed(2)}%`;
    row.fill.style.width = `${Math.max(item.width, 0.25).toFixed(2)}%`;
    row.zero.style.left = `${item.zero.toFixed(2)}%`;
    attr(row.fill, "data-tone", item.term === "shortfall" ? "whole" : tone(item.value));
  });
}

// Each term begins where the one before ended; the whole stands at the foot. Places are per cent of the track.
export function waterfall(terms, unknown = {}) {
  const ends = [0];
  for (const term of TERMS) ends.push(ends.at(-1) + terms[term]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const span = (high - low) * 1.04 || 1;
  const at = (value) => ((value - low + span * 0.02) / span) * 100;
  const item = (term, begin, end, value, share) => ({ term, value, share, left: at(Math.min(begin, end)), width: at(Math.max(begin, end)) - at(Math.min(begin, end)), zero: at(0) });
  const items = TERMS.map((term, k) => item(term, ends[k], ends[k + 1], terms[term], unknown[term] ?? 0));
  return [...items, item("shortfall", 0, terms.total, terms.total, 0)];
}

function bar({ term }) {
  const row = el("div", term === "shortfall" ? "fall whole" : "fall");
  row.title = TELLS[term] ?? TELLS.total;
  const track = el("div", "lane");
  row.zero = el("u");
  row.fill = el("i");
  row.value = el("span", "value");
  track.append(row.zero, row.fill);
  row.append(el("span", "term", term), track, row.value);
  return row;
}

function benchmarks(one) {
  keyed($("costs-benchmarks"), one?.benchmarks ?? [], (row) => row.name, against, (node, row) => {
    put(node.price, number(row.price, one.digits + 1));
    put(node.ticks, known(row.ticks) ? `${plain(row.ticks, 2)} ticks` : "–");
    attr(node.ticks, "data-tone", tone(row.ticks));
    put(node.note, row.note);
    node.title = `${row.name}: the average fill was dearer than it by so many ticks, without fees`;
  });
}

function against(row) {
  const node = el("div", "against");
  [node.price, node.ticks, node.note] = [el("span", "price"), el("b"), el("span", "dim note")];
  node.append(el("span", "dim", `vs ${row.name}`), node.ticks, node.price, node.note);
  return node;
}

let linked = null;

function files(one) {
  if (linked === (one?.id ?? "")) return;
  linked = one?.id ?? "";
  const replay = views.status?.mode === "replay";
  const link = (form, parent, text) => {
    const node = el("a", "quiet boxed", text);
    node.href = `/cost?form=${form}${parent ? `&parent=${encodeURIComponent(parent)}` : ""}`;
    node.download = "";
    return node;
  };
  const nodes = one && !replay ? [el("span", "dim", one.id), link("html", one.id, "HTML"), link("csv", one.id, "CSV"), link("parquet", one.id, "Parquet")] : [];
  const all = one && !replay ? [el("span", "dim", "all"), link("html", "", "HTML"), link("csv", "", "CSV"), link("parquet", "", "Parquet")] : [];
  $("costs-files").replaceChildren(el("span", "dim", one ? "download" : ""), ...nodes, ...all);
}
