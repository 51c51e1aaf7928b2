// The surface as a table: a row an expiry; how sure a figure is shows in its ground, a change in its sign too. Arrows
// walk its cells, Enter opens the one that they are at.

import * as card from "./card.js";
import { cellOf, columnsOf, forwardAt, looksAt } from "./cells.js";
import { dayOf } from "./choices.js";
import { attr, el, flag, put } from "./dom.js";
import { picked } from "./feed.js";
import { brief, clock, expiryDay, known, number, signed } from "./format.js";
import { ramp } from "./legend.js";
import { line, rows as linesOf } from "./told.js";

const CELL_PX = 28; // a column is at least so wide; what does not fit is left out evenly
const LETTER_PX = 5.7;
const LABEL_PX = 64; // of the expiry
const LEAST_SCALE = 0.5; // vol points: less is not worth a deep colour
const TAIL = 0.08; // of the values at either end are as deep as the rest: one wild wing must not flatten all others
const SPREAD_PTS = 4; // vol points between bid and ask that underline a whole cell
const SPREAD = `the line below a figure is as long as bid and ask are apart: a whole cell is ${SPREAD_PTS} vol points or more`;
const MARKS = { marks: "≈", flat: "≈", none: "?", quotes: "" };
const HEAD = -1; // the column of the expiries themselves
let grid = null;
let shape = "";
let lines = []; // one an expiry: { code, head, values }
let drawn = null; // what stands in the cells
let at = { code: "", key: null }; // the cell that the keyboard comes to
let hinted = null; // [row, column] that the card tells of

// Draw into `box`; returns the legend.
export function draw(box, view, kind, earlier, width) {
  const columns = fitting(view, kind, width - LABEL_PX);
  const wanted = `${kind}|${columns.map((column) => column.key)}|${view.smiles.map((smile) => smile.code)}`;
  if (shape !== wanted) make(box, view, columns);
  shape = wanted;
  const cells = view.smiles.map((smile) => columns.map((column) => cellOf(smile, column, earlier, view.t_ms)));
  const scale = scaleOf(cells.flat(), earlier);
  flag(grid, "changes", earlier);
  drawn = { view, columns, cells, earlier };
  view.smiles.forEach((smile, row) => {
    label(lines[row].head, smile);
    place(lines[row], forwardAt(smile, columns));
    const on = nearest(cells[row]);
    cells[row].forEach((cell, i) => fill(lines[row].values[i], smile, cell, { scale, earlier, on: on === i }));
  });
  rove();
  if (hinted) hint();
  return legendOf(scale, earlier, cells.flat(), view.smiles);
}

// As many columns as there is room for, each as wide as the widest label.
function fitting(view, kind, width) {
  let columns = columnsOf(view, kind, Math.max(3, Math.floor(width / CELL_PX)));
  const widest = () => Math.max(...columns.map((column) => column.label.length)) * LETTER_PX;
  while (columns.length > 3 && widest() > width / columns.length) columns = columnsOf(view, kind, columns.length - 1);
  return columns;
}

function scaleOf(cells, earlier) {
  const values = cells.map((cell) => (earlier ? cell.change : cell.iv)).filter(known).sort((a, b) => a - b);
  if (!values.length) return { low: null, high: null };
  const cut = Math.floor(values.length * TAIL);
  if (!earlier) return { low: values[cut], high: values.at(-1 - cut), cut: cut > 0 };
  const high = Math.max(LEAST_SCALE, Math.abs(values[cut]), Math.abs(values.at(-1 - cut)));
  return { low: -high, high, cut: cut > 0 };
}

function legendOf({ low, high, cut }, earlier, cells, smiles) {
  const has = (quality) => !earlier && cells.some((cell) => cell.quality === quality);
  const end = cut ? " and beyond" : "";
  const items = [];
  const since = earlier && `since ${clock(earlier.t_ms)}`;
  if (earlier && known(high)) {
    items.push({ ramp: "change", texts: [signed(low, 1), "0", `${signed(high, 1)} pts`], title: `change of the fit ${since}, vol points${end}` });
    items.push({ mark: "", text: `fit ${since}` });
  } else if (known(low)) items.push({ ramp: "iv", texts: ramp(low, high), title: `IV of the quotes' mid${end}` });
  items.push({ mark: "forward", text: "F", title: "where the expiry's present forward lies" });
  if (has("fitted")) items.push({ mark: "fitted", text: "fit", title: "IV of the fit: the option is not quoted on both sides, not lately, or not traded" });
  if (has("stand")) items.push({ mark: "stand", text: "≈ marks", title: "a stand-in, fitted to the venue's marks: too few quotes" });
  if (has("between")) items.push({ mark: "between", text: "no strike", title: "IV of the fit: the expiry has no such strike" });
  if (has("quoted")) items.push({ mark: "spread", text: `bid–ask ÷ ${SPREAD_PTS}`, title: SPREAD });
  const flat = smiles.some((smile) => smile.source === "flat");
  if (flat) items.push({ mark: "", text: "≈ no smile", title: "too few quotes for a smile: only what is quoted is shown" });
  return items;
}

function label(head, smile) {
  flag(head, "on", smile.code === picked.code);
  flag(head, "doubt", smile.source !== "quotes" || smile.note);
  put(head.mark, MARKS[smile.source] || (smile.note ? "◷" : ""));
  const forward = smile.forward > 0 ? number(smile.forward, 1) : "unknown";
  attr(head, "title", [expiryDay(smile.expiry_ms), `forward ${forward}`, smile.note].filter(Boolean).join(" · "));
}

// The mark of the forward, in the cell where it lies.
function place(line, where) {
  const i = known(where) ? Math.min(line.values.length - 1, Math.floor(where)) : -1;
  if (i < 0) return void line.forward.remove();
  if (line.forward.parentElement !== line.values[i]) line.values[i].append(line.forward);
  line.forward.style.left = `${((where - i) * 100).toFixed(1)}%`;
}

// Of the cells that open what is looked at, the nearest to its strike.
function nearest(cells) {
  const off = (cell) => Math.abs(Math.log(cell.strike / cell.point.strike));
  const found = cells.map((cell, i) => ({ cell, i })).filter(({ cell }) => looksAt(cell.instrument));
  return found.sort((a, b) => off(a.cell) - off(b.cell))[0]?.i;
}

function fill(node, smile, cell, { scale, earlier, on }) {
  const value = earlier ? cell.change : cell.iv;
  put(node.figure, !known(value) ? "·" : earlier ? brief(value) : number(value, value >= 100 ? 0 : 1));
  const share = known(value) && scale.high > scale.low ? (value - scale.low) / (scale.high - scale.low) : 0;
  set(node, "--heat", `${Math.round(Math.min(1, Math.max(0, share)) * 50) * 2}%`);
  const moved = known(value) && earlier;
  flag(node, "rise", moved && value >= 0);
  flag(node, "fall", moved && value < 0);
  if (moved) set(node, "--much", `${Math.round(100 * Math.min(1, Math.abs(value) / scale.high))}%`);
  for (const quality of ["fitted", "stand", "between"]) flag(node, quality, !earlier && cell.quality === quality);
  flag(node, "none", !known(value));
  set(node, "--spread", earlier || !known(cell.spread) ? "0%" : `${Math.round(100 * Math.min(1, cell.spread / SPREAD_PTS))}%`);
  attr(node, "data-instrument", cell.instrument);
  attr(node, "data-quality", cell.quality);
  attr(node, "aria-label", cell.point ? line(smile, cell.point, cell) : `${smile.code}: ${cell.why}`);
  flag(node, "on", on);
  attr(node, "aria-selected", on);
}

function set(node, name, value) {
  if (node[name] === value) return;
  node[name] = value;
  node.style.setProperty(name, value);
}

function make(box, view, columns) {
  const focused = grid?.contains(document.activeElement);
  grid = el("div", "heat");
  attr(as("grid", grid), "aria-label", "implied volatility, expiry by strike: arrows walk, Enter opens the ladder");
  grid.style.setProperty("--label", `${LABEL_PX - 2}px`);
  grid.style.setProperty("--columns", columns.length);
  grid.style.setProperty("--rows", view.smiles.length);
  const head = row();
  head.append(el("span", "h"), ...columns.map((column) => as("columnheader", el("span", "h", column.label))));
  lines = view.smiles.map(makeLine(columns));
  grid.append(head, ...lines.map((one) => one.node));
  listen(grid);
  box.replaceChildren(grid);
  hinted = null;
  card.hide("heat");
  if (focused) (rove(), lines.flatMap((one) => one.values).find((cell) => cell.tabIndex === 0)?.focus());
}

const row = () => as("row", el("div", "line"));

function as(role, node) {
  attr(node, "role", role);
  return node;
}

const makeLine = (columns) => (smile, r) => {
  const node = row();
  const head = as("rowheader", el("button", "h expiry", dayOf(smile)));
  Object.assign(head, { type: "button", tabIndex: -1, at: [r, HEAD] });
  head.dataset.expiry = smile.code;
  head.append((head.mark = el("i")));
  const values = columns.map((column, i) => {
    const cell = as("gridcell", el("button", "cell"));
    Object.assign(cell, { type: "button", tabIndex: -1, at: [r, i] });
    cell.dataset.expiry = smile.code;
    cell.append((cell.figure = el("span")));
    return cell;
  });
  node.append(head, ...values);
  return { node, code: smile.code, head, values, forward: el("i", "forward") };
};

// ------------------------------------------------------------ pointer and keys

function listen(made) {
  const told = (event) => point(event.target.closest(".cell")?.at ?? null);
  made.addEventListener("pointerover", told);
  made.addEventListener("focusin", (event) => {
    const [r, i] = event.target.at ?? [];
    if (i >= 0) at = { code: lines[r].code, key: drawn.columns[i].key };
    rove();
    told(event);
  });
  made.addEventListener("pointerleave", () => point(null));
  made.addEventListener("focusout", () => point(null));
  made.addEventListener("keydown", walk);
}

function point(where) {
  hinted = where;
  if (!where) return card.hide("heat");
  hint();
}

function hint() {
  const [r, i] = hinted;
  const smile = drawn.view.smiles[r];
  const cell = drawn.cells[r]?.[i];
  if (!cell) return point(null);
  const where = lines[r].values[i].getBoundingClientRect();
  if (!cell.point) return card.show("heat", `${smile.code} ${drawn.columns[i].label}`, [["", cell.why]], where);
  const here = known(cell.iv) ? `${number(cell.iv, 2)} %, K ${number(cell.strike, 0)}` : "unknown";
  const aside = cell.point.strike === cell.strike ? [] : [[`at ${drawn.columns[i].label}`, here]];
  if (cell.instrument !== cell.point.instrument) aside.push(["opens", cell.instrument]); // its twin, which is looked at
  card.show("heat", cell.point.instrument, [...aside, ...linesOf(smile, cell.point, cell, drawn.earlier)], where);
}

// One cell is in the tab order: where the keyboard was, else what is looked at, else the first with a figure.
function rove() {
  const all = lines.flatMap((one) => one.values);
  const place = (cell) => lines[cell.at[0]].code === at.code && drawn.columns[cell.at[1]]?.key === at.key;
  const one = all.find(place) ?? all.find((cell) => cell.classList.contains("on")) ?? all.find((cell) => !cell.classList.contains("none"));
  for (const cell of all) if (cell.tabIndex !== (cell === one ? 0 : -1)) cell.tabIndex = cell === one ? 0 : -1;
}

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -99], End: [0, 99] };

function walk(event) {
  const step = STEPS[event.key];
  const from = event.target.at;
  if (!step || !from || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopPropagation();
  const within = (value, least, length) => Math.max(least, Math.min(length - 1, value));
  const { head, values } = lines[within(from[0] + step[0], 0, lines.length)];
  const column = within(from[1] + step[1], event.key === "Home" ? 0 : HEAD, values.length);
  (values[column] ?? head).focus();
}

export const leave = () => point(null);
