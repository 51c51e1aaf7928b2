// The surface as a table: a row an expiry; how sure a figure is shows in its ground, a change in its sign too.

import { attr, el, flag, put } from "./dom.js";
import { picked } from "./feed.js";
import { clock, expiryDay, known, number, signed } from "./format.js";
import { cellOf, columnsOf, looksAt } from "./cells.js";

const CELL_PX = 29; // a column is at least so wide; what does not fit is left out evenly
const CHANGE_PX = 35;
const LABEL_PX = 58; // of the expiry; more where it says the coin too
const LEAST_SCALE = 0.5; // vol points: less is not worth a deep colour
let shape = "";
let rows = [];

// Draw into `box`; returns what the colours mean, short and in words.
export function draw(box, view, kind, earlier, width) {
  const columns = columnsOf(view, kind, roomFor(view, kind, earlier, width));
  const wanted = `${kind}|${columns.map((column) => column.key)}|${view.smiles.map((smile) => smile.code)}`;
  if (shape !== wanted) make(box, view, columns);
  shape = wanted;
  const cells = view.smiles.map((smile) => columns.map((column) => cellOf(smile, column, earlier)));
  const scale = scaleOf(cells.flat(), earlier);
  view.smiles.forEach((smile, row) => {
    flag(rows[row].head, "on", smile.code === picked.code);
    cells[row].forEach((cell, i) => fill(rows[row].values[i], cell, scale, earlier));
  });
  if (earlier) return [`±${number(scale.high, 1)} pts`, `change of the fit since ${clock(earlier.t_ms)}, in vol points`];
  return known(scale.low) ? [`${number(scale.low, 0)}–${number(scale.high, 0)} %`, "IV of the quotes' mid; hatched: of the fit, where no option is quoted on both sides"] : [];
}

function roomFor(view, kind, earlier, width) {
  const label = kind === "strike" ? Math.max(...view.strikes.map((k) => `${k >= 10000 ? k / 1000 : k}`.length + 1)) * 5.4 + 2 : 26;
  const least = Math.max(earlier ? CHANGE_PX : CELL_PX, label);
  return Math.max(3, Math.floor((width - labelWidth(view)) / least));
}

function scaleOf(cells, earlier) {
  const values = cells.map((cell) => (earlier ? cell.change : cell.iv)).filter(known);
  if (!values.length) return { low: null, high: null };
  if (!earlier) return { low: Math.min(...values), high: Math.max(...values) };
  const high = Math.max(LEAST_SCALE, ...values.map(Math.abs));
  return { low: -high, high };
}

function fill(node, cell, scale, earlier) {
  const value = earlier ? cell.change : cell.iv;
  put(node, !known(value) ? "·" : earlier ? signed(value, scale.high < 10 ? 2 : 1) : number(value, 1));
  const share = known(value) && scale.high > scale.low ? (value - scale.low) / (scale.high - scale.low) : 0;
  const heat = Math.round(share * 50) * 2;
  if (node.heat !== heat) node.style.setProperty("--heat", `${(node.heat = heat)}%`);
  const change = known(value) && earlier;
  flag(node, "rise", change && value >= 0);
  flag(node, "fall", change && value < 0);
  if (change) node.style.setProperty("--much", `${Math.round((100 * Math.abs(value)) / scale.high)}%`);
  flag(node, "fitted", !earlier && cell.quality === "fitted");
  flag(node, "none", !known(value));
  attr(node, "data-instrument", cell.instrument);
  flag(node, "on", looksAt(cell.instrument));
  node.title = title(cell);
}

function title(cell) {
  const parts = [cell.instrument || "not listed"];
  if (known(cell.iv)) parts.push(`${number(cell.iv, 2)} % (${cell.quality === "quoted" ? "mid of the quotes" : "from the fit, no quote on both sides"})`);
  if (known(cell.change)) parts.push(`fit ${number(cell.fit, 2)}, then ${number(cell.then, 2)}: ${signed(cell.change, 2)} points`);
  return parts.join("  ");
}

const labelWidth = (view) => Math.max(LABEL_PX, Math.max(...view.smiles.map((smile) => smile.code.length)) * 6.6 + 8);

function make(box, view, columns) {
  const table = el("div", "heat");
  table.style.setProperty("--label", `${Math.round(labelWidth(view)) - 2}px`);
  table.style.setProperty("--columns", columns.length);
  table.append(el("span", "h"));
  for (const column of columns) table.append(el("span", "h", column.label));
  rows = view.smiles.map((smile) => {
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
  box.replaceChildren(table);
}
