// The volatility surface as strike × expiry; a click on a cell opens that option's ladder.

import { $, attr, el, flag, put } from "./dom.js";
import { choose, instrument, mark, picked, twin, views, when } from "./feed.js";
import { expiryDay, known, number, strike } from "./format.js";
import { smiles, term } from "./smile.js";

const CELL_PX = 29; // a column is at least so wide; strikes that do not fit are left out evenly
const LABEL_PX = 58; // of the expiry; more where it says the coin too
let tab = "heatmap";
let cells = [];
let shape = "";
let width = 0;
let followed = null; // [coin, day] of an option that has just been chosen

export function start() {
  const box = $("surface");
  new ResizeObserver(([entry]) => {
    width = entry.contentRect.width;
    mark("surface");
  }).observe(box);
  box.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-instrument]");
    if (cell?.dataset.instrument) choose(cell.dataset.instrument);
    const row = event.target.closest("[data-expiry]");
    if (row) pick(row.dataset.expiry);
  });
  $("surface-tabs").addEventListener("click", (event) => {
    if (!event.target.dataset.tab) return;
    tab = event.target.dataset.tab;
    for (const other of event.currentTarget.children) attr(other, "aria-selected", other.dataset.tab === tab);
    shape = "";
    mark("surface");
  });
  when(["instrument", "chain"], () => {
    const row = views.chain?.instruments.find(([name]) => name === instrument());
    followed = row?.[1] === "option" ? instrument().split("-").slice(0, 2) : null;
    mark("surface");
  });
  when(["surface", "instrument"], draw);
}

function pick(code) {
  if (picked.code === code) return;
  picked.code = code;
  mark("surface");
}

function draw() {
  const view = views.surface;
  put($("surface-coin"), view?.coin ?? "");
  if (!width) return;
  $("panel-surface").querySelector(".smile").hidden = !view?.smiles.length;
  if (!view?.smiles.length) return blank(views.status ? "No expiry has a quote yet." : "Waiting for the engine.");
  followInstrument(view);
  if (!view.smiles.some((smile) => smile.code === picked.code)) picked.code = view.smiles[0].code;
  if (tab === "heatmap") grid(view);
  else if (tab === "smiles") chart(view, smiles);
  else chart(view, term);
}

// Another option is looked at: its expiry's smile is drawn. A desk of two coins says the coin with the day.
function followInstrument(view) {
  if (!followed) return;
  const [coin, day] = followed;
  const smile = view.smiles.find((one) => one.code === `${coin} ${day}`) ?? view.smiles.find((one) => one.code === day);
  if (smile) picked.code = smile.code;
  followed = null;
}

function blank(text) {
  if (shape === text) return;
  shape = text;
  $("surface").replaceChildren(el("div", "empty", text));
}

function chart(view, paint) {
  if (shape !== tab) {
    shape = tab;
    const box = el("div", "plot");
    box.append(el("canvas"));
    $("surface").replaceChildren(box);
    cells = [];
  }
  paint($("surface").querySelector("canvas"), view, picked.code);
}

function grid(view) {
  const columns = chosen(view);
  const wanted = `${columns.map((i) => view.strikes[i])}|${view.smiles.map((smile) => smile.code)}`;
  if (shape !== wanted) make(view, columns);
  shape = wanted;
  const all = columns.flatMap((i) => view.smiles.map((_, row) => view.grid[row][i] ?? view.fitted[row][i])).filter(known);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  view.smiles.forEach((smile, row) => {
    flag(cells[row].head, "on", smile.code === picked.code);
    columns.forEach((column, i) => fillCell(cells[row].values[i], view, row, column, low, high));
  });
}

function fillCell(cell, view, row, column, low, high) {
  const strikeAt = view.strikes[column];
  const quoted = view.grid[row]?.[column];
  const iv = known(quoted) ? quoted : (view.fitted[row]?.[column] ?? between(view.smiles[row], strikeAt));
  put(cell, known(iv) ? number(iv, 1) : "·");
  const heat = known(iv) && high > low ? Math.round(((iv - low) / (high - low)) * 50) * 2 : 0;
  if (cell.heat !== heat) cell.style.setProperty("--heat", `${(cell.heat = heat)}%`);
  flag(cell, "fitted", !known(quoted) && known(iv));
  flag(cell, "none", !known(iv));
  const [name, other] = options(view, row, column);
  cell.dataset.instrument = instrument() === name && other ? other : name;
  flag(cell, "on", name && (instrument() === name || instrument() === other));
  const source = known(quoted) ? "mid of the quotes" : "from the fit, no quote";
  cell.title = `${name || "not listed"}${known(iv) ? `  ${number(iv, 2)} % (${source})` : ""}`;
}

// The fit between its own points, for a strike that this expiry does not list; nothing beyond its ends.
function between({ curve_strikes: ks, curve_iv: ivs }, k) {
  const i = ks.findIndex((one) => one >= k);
  if (i < 0 || (i === 0 && ks[0] > k)) return null;
  if (ks[i] === k || i === 0) return ivs[i];
  const share = Math.log(k / ks[i - 1]) / Math.log(ks[i] / ks[i - 1]);
  return ivs[i - 1] + share * (ivs[i] - ivs[i - 1]);
}

// The out-of-the-money option of a cell first, and its twin.
function options(view, row, column) {
  const smile = view.smiles[row];
  const points = (smile.byStrike ??= Map.groupBy(smile.points, (point) => point.strike));
  const here = points.get(view.strikes[column]) ?? [];
  const first = here.find((point) => point.call === view.strikes[column] >= smile.forward) ?? here[0];
  return first ? [first.instrument, twin(first.instrument)] : ["", ""];
}

// Which strikes fit: those that most expiries quote, near the money before far, the picked option's always.
function chosen(view) {
  const labels = Math.max(...view.strikes.map((k) => strike(k).length));
  const room = Math.max(3, Math.floor((width - labelWidth(view)) / Math.max(CELL_PX, labels * 5.4 + 2)));
  const forward = view.smiles[0].forward || view.strikes[Math.floor(view.strikes.length / 2)];
  const looked = Number(instrument().split("-")[2]);
  const worth = view.strikes.map((k, i) => ({
    i,
    count: k === looked ? Infinity : view.grid.filter((row) => known(row[i])).length,
    gap: Math.abs(Math.log(k / forward)),
  }));
  worth.sort((a, b) => b.count - a.count || a.gap - b.gap);
  return worth.slice(0, room).map((one) => one.i).sort((a, b) => a - b);
}

const labelWidth = (view) => Math.max(LABEL_PX, Math.max(...view.smiles.map((smile) => smile.code.length)) * 6.6 + 8);

function make(view, columns) {
  const table = el("div", "heat");
  table.style.setProperty("--label", `${Math.round(labelWidth(view)) - 2}px`);
  table.style.setProperty("--columns", columns.length);
  table.append(el("span", "h"));
  for (const i of columns) table.append(el("span", "h", strike(view.strikes[i])));
  cells = view.smiles.map((smile) => {
    const head = el("button", "h expiry", smile.code);
    head.type = "button";
    head.dataset.expiry = smile.code;
    head.title = `${expiryDay(smile.expiry_ms)}, forward ${number(smile.forward, 0)}`;
    const values = columns.map(() => {
      const cell = el("button", "cell");
      cell.type = "button";
      cell.dataset.expiry = smile.code;
      return cell;
    });
    table.append(head, ...values);
    return { head, values };
  });
  $("surface").replaceChildren(table);
}
