// What can be arbitraged at the quotes, with its legs, and what is wrong with the fits; the line at the panel's foot.

import { shapeOf } from "./cells.js";
import { dayOf, scoped } from "./choices.js";
import { $, button, el, flag, keyed, put } from "./dom.js";
import { choose, mark, picked, views, when } from "./feed.js";
import { amount, known, number, signed } from "./format.js";
import { ivAt } from "./svi.js";

const KINDS = "vertical, butterfly, box, put–call parity and intrinsic value, calendars with what they need";
const SOURCES = ["future", "parity", "ticker"];
let parts = null;
let foot = null;
let earlier = null;

// `turn`: shows the list; `moment`: gives the earlier moment that is chosen, if one is.
export function start(turn, moment) {
  earlier = moment;
  parts = { state: el("p", "said"), list: el("div", "rows"), fits: el("ul", "fits"), forwards: sources() };
  $("surface-flags").append(parts.state, parts.list, parts.fits, parts.forwards);
  foot = Object.fromEntries(["level", "skew", "forward"].map((name) => [name, el("span", name)]));
  foot.flags = button("", "flags", turn, "open the legs");
  $("surface-foot").append(...Object.values(foot));
  when(["surface", "arbitrage", "instrument"], draw);
}

// The list's own legend: what counts.
export const legend = () => [{ mark: "", text: "at the quotes, after fees; a leg's name opens its ladder" }];

function draw() {
  const { surface, arbitrage } = views;
  const smile = surface?.smiles.find((one) => one.code === picked.code);
  const shape = smile && shapeOf(smile);
  put(foot.level, smile ? `${smile.source === "quotes" || !known(smile.atm_iv) ? "" : "≈ "}level ${number(smile.atm_iv, 1)}${shape ? moved(smile) : ""}` : "");
  put(foot.skew, smile ? `skew ${signed(shape ? smile.skew : null, 1)}` : ""); // a flat stand-in has none
  forwards(surface, smile);
  const found = arbitrage?.rows ?? [];
  const fits = surface?.flags ?? [];
  put(foot.flags, surface ? summary(arbitrage, found, fits) : "");
  flag(foot.flags, "warn", found.length || fits.length);
  flag($("surface-tabs").querySelector("[data-tab='flags']"), "warn", found.length || fits.length);
  if (!surface || $("surface-flags").hidden) return;
  put(parts.state, stateOf(arbitrage, found));
  keyed(parts.list, numbered(found), (one) => one.key, make, fill);
  keyed(parts.fits, fits, (text) => text, (text) => el("li", "warn", `▲ in the fits: ${text}`), () => {});
  keyed(parts.forwards.tBodies[0], scoped(surface).smiles, (one) => one.code, sourceRow, fillSources(surface.forwards));
}

// Where the forwards come from, and how far each source is off what was agreed on.
function sources() {
  const table = el("table", "factors");
  const head = el("tr");
  for (const name of ["forward", "USD", ...SOURCES.map((one) => `${one}, bp`)]) head.append(el("th", "", name));
  table.append(el("thead"), el("tbody"));
  table.tHead.append(head);
  return table;
}

function sourceRow(smile) {
  const tr = el("tr");
  const first = el("th");
  tr.first = el("button", "link", dayOf(smile));
  tr.first.type = "button";
  tr.first.dataset.expiry = smile.code;
  first.append(tr.first);
  tr.append(first, ...["USD", ...SOURCES].map(() => el("td")));
  return tr;
}

const fillSources = (rows) => (tr, smile) => {
  const row = rows.find((one) => one.code === smile.code);
  flag(tr, "on", smile.code === picked.code);
  put(tr.children[1], number(row?.value ?? (smile.forward || null), 1));
  SOURCES.forEach((name, i) => put(tr.children[i + 2], signed(row?.sources.find(([one]) => one === name)?.[2], 1)));
};

// What the forward stands on; how far its sources are apart, where there are several.
function forwards(view, smile) {
  const row = smile && view.forwards.find((one) => one.code === smile.code);
  const apart = row && row.sources.length > 1 ? ` ±${number(row.apart_bp, 0)} bp` : "";
  put(foot.forward, smile ? `F ${smile.forward > 0 ? number(smile.forward, 0) : "–"}${apart}` : "");
  foot.forward.title = row ? `forward ${number(row.value, 1)}: ${row.sources.map(([name, value, off]) => `${name} ${number(value, 1)} (${signed(off, 1)} bp)`).join(", ")}` : "forward";
}

// How far the level has moved since the earlier moment.
function moved(smile) {
  const then = earlier()?.shapes.find((one) => one.code === smile.code);
  return then && known(smile.atm_iv) ? ` ${signed(smile.atm_iv - ivAt(then, 0), 2)}` : "";
}

function summary(view, found, fits) {
  if (found.length) return `▲ ${found.length > 1 ? found.length : found[0].kind} · ${money(sum(found))}`;
  if (fits.length) return `▲ ${fits.length > 1 ? `${fits.length} flags in the fits` : fits[0]}`;
  return view?.looked ? "no arbitrage" : "arbitrage: no quotes yet";
}

// Packages that need nothing fit into the quotes together; a calendar may want a quote that another has.
const sum = (rows) => ({ profit: rows.reduce((total, row) => total + (row.needs ? 0 : row.profit), 0), coin: rows[0].coin });
const money = ({ profit, coin }) => `${profit < 0.001 ? number(profit, 5) : number(profit, 4)} ${coin}`;

function stateOf(view, found) {
  if (!view?.looked) return "No fresh quotes to look at yet.";
  const where = `${view.quotes} quotes of ${view.looked} of ${view.expiries} expiries`;
  if (!found.length) return `No arbitrage in ${where}: ${KINDS}, at the quotes, after taker and delivery fees.`;
  return `${found.length} found in ${where}; the profit is the least at any delivery price, after fees.`;
}

// The same package keeps its row while its sizes and prices change.
function numbered(found) {
  const seen = new Map();
  return found.map((row) => {
    const name = `${row.kind} ${row.legs.map((leg) => leg.side + leg.instrument)}`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return { key: `${name} ${seen.get(name)}`, row };
  });
}

function make({ row }) {
  const node = el("div", "package");
  const head = el("div", "line");
  node.parts = { kind: el("b", "", `▲ ${row.kind}`), code: el("span", "dim"), profit: el("span", "profit good") };
  head.append(...Object.values(node.parts));
  node.append(head);
  node.legs = row.legs.map((leg) => {
    const line = el("div", "leg");
    const cells = { side: el("span", leg.side === "buy" ? "up" : "down", leg.side), size: el("span", "size"), name: button(leg.instrument, "link", () => open(leg.instrument), "open its ladder"), price: el("span", "price") };
    line.append(...Object.values(cells));
    node.append(line);
    return cells;
  });
  node.append((node.needs = el("div", "dim")));
  return node;
}

function open(name) {
  choose(name);
  mark("surface");
}

function fill(node, { row }) {
  put(node.parts.code, row.code);
  put(node.parts.profit, `${money(row)}${known(row.usd) ? ` · ${number(row.usd, 0)} USD` : ""}`);
  put(node.needs, row.needs ?? "");
  row.legs.forEach((leg, i) => {
    put(node.legs[i].size, amount(leg.size));
    put(node.legs[i].price, number(leg.price, leg.digits));
  });
}
