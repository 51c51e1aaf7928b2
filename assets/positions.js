// What is held: positions, greeks by expiry, and what spot and volatility would make of it.

import { button, el, flag, keyed, put } from "./dom.js";
import { choose, views } from "./feed.js";
import { known, number, signed } from "./format.js";
import * as hedge from "./hedge.js";
import { blank, table } from "./tables.js";

const HELD = ["instrument", "size", "Δ coin", "gamma", "vega", "mark"];
const GREEKS = ["expiry", "Δ", "Δ coin", "Γ 1 %", "vega $", "θ $/day", "value", "value $"];
const NOTHING = GREEKS.slice(1).map(() => "–"); // known of no position of an expiry
let held = null;
let greeks = null;
let grid = null;
let shape = "";

export function layout() {
  const box = el("div", "risk");
  [held, greeks, grid] = [table(HELD, "positions"), table(GREEKS, "positions"), el("div", "pnl")];
  const left = el("div", "held");
  left.append(hedge.layout(), held, greeks);
  box.append(left, grid);
  return box;
}

export function draw() {
  hedge.draw();
  const rows = (views.desk?.positions ?? []).filter((row) => row.size);
  blank(held, rows.length ? "" : views.desk ? "No positions." : "Waiting for the engine.");
  keyed(held.body, rows, (row) => row.instrument, heldRow, (tr, row) => fill(tr, [
    signed(row.size, Number.isInteger(row.size) ? 0 : 1), signed(row.delta, 2), signed(row.gamma, 5), signed(row.vega, 0), price(row.mark),
  ]));
  const exposures = views.risk?.exposures ?? [];
  greeks.hidden = grid.hidden = !rows.length || !exposures.length;
  blank(greeks, "");
  keyed(greeks.body, exposures, (row) => row.code, greekRow, (tr, row) => {
    const { unknown } = row;
    put(tr.firstChild, unknown ? `${row.code} ▲ without ${unknown}` : row.code);
    flag(tr.firstChild, "warn", unknown > 0);
    fill(tr, row.known ? [
      signed(row.delta, 3), signed(row.coin_delta, 3), signed(row.gamma, 4), signed(row.vega, 0), signed(row.theta, 0), signed(row.value, 4), signed(row.usd, 0),
    ] : NOTHING);
  });
  if (!grid.hidden) ladder(views.risk);
}

const price = (value) => (known(value) ? number(value, Math.abs(value) >= 1000 ? 1 : 4) : "–");
const fill = (tr, texts) => texts.forEach((text, i) => put(tr.children[i + 1], text));

function cells(first, columns) {
  const tr = el("tr");
  const td = el("td");
  td.append(first);
  tr.append(td, ...columns.slice(1).map(() => el("td")));
  return tr;
}

const heldRow = (row) => cells(button(row.instrument, "link", () => choose(row.instrument)), HELD);
const greekRow = (row) => cells(row.code, GREEKS);

// P&L in USD, spot across and volatility down; the deeper the ground the more, the sign is in the figure too.
function ladder({ spot, points, ladder: values, coins, unknown }) {
  const wanted = `${spot}|${points}`;
  if (shape !== wanted) make(spot, points);
  shape = wanted;
  const most = Math.max(1, ...values.flat().map(Math.abs));
  grid.cells.forEach((line, row) =>
    line.forEach((cell, i) => {
      const value = values[row]?.[i];
      put(cell, money(value));
      flag(cell, "gain", value > 0);
      flag(cell, "loss", value < 0);
      cell.style.setProperty("--much", `${Math.round((100 * Math.abs(value ?? 0)) / most)}%`);
      const coin = known(coins[row]?.[i]) ? ` (${signed(coins[row][i], 4)} coin)` : "";
      cell.title = `${signed(value, 0)} USD${coin}: spot ${percentOf(spot[i])}, volatility ${signed(points[row], 0)} points`;
    }),
  );
  put(grid.note, unknown.length ? `▲ incomplete, without ${unknown.join(", ")}: no volatility or forward known` : "spot across, volatility down; smiles move with their forwards");
  flag(grid.note, "warn", unknown.length > 0);
}

function money(value) {
  if (!known(value)) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return `${signed(value / 1e6, 2)}M`;
  return size >= 1e4 ? `${signed(value / 1e3, 1)}k` : signed(value, 0);
}

const percentOf = (share) => `${signed(100 * share, 0)} %`;

function make(spot, points) {
  const box = el("div", "pnl-grid");
  box.style.setProperty("--columns", spot.length);
  box.append(el("span", "h", "P&L, USD"), ...spot.map((share) => el("span", "h", percentOf(share))));
  grid.cells = points.map((shift) => {
    const line = spot.map((share) => el("span", share === 0 && shift === 0 ? "v now" : "v"));
    box.append(el("span", "h", `${signed(shift, 0)} pts`), ...line);
    return line;
  });
  grid.note = el("p", "dim");
  grid.replaceChildren(box, grid.note);
}
