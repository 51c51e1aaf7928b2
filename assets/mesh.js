// The surface as points and faces: what stands in space, before it is turned.

import { cellOf, columnsOf, near, shapeOf } from "./cells.js";
import { known, strike } from "./format.js";

const FINE = 25; // columns
const STRIKES = 15; // that set how far the axis goes
const LOW = [22, 54, 79];
const HIGH = [190, 106, 50];
const FALL = [40, 120, 180];
const STILL = [38, 46, 54];

// A flat stand-in is no smile.
export function build(view, kind, earlier) {
  const smiles = view.smiles.filter(shapeOf);
  const columns = fine(view, kind);
  const cell = (smile, column) => ({ ...cellOf(smile, column, earlier, view.t_ms), near: near(smile.shape, column.place(smile.shape)) });
  const cells = smiles.map((smile) => columns.map((column) => cell(smile, column)));
  const value = (cell) => (cell.near ? (earlier ? cell.change : cell.fit) : null);
  const all = cells.flat().map(value).filter(known);
  let [low, high] = all.length ? [Math.min(...all), Math.max(...all)] : [0, 1];
  if (earlier) [low, high] = [-1, 1].map((sign) => sign * Math.max(0.5, Math.abs(low), Math.abs(high)));
  else if (high - low < 2) [low, high] = [low - 1, high + 1];
  return { smiles, all: view.smiles.length, columns, cells, value, low, high, kind, earlier, change: Boolean(earlier) };
}

// Columns close enough for a smooth picture, in the kind that was chosen.
function fine(view, kind) {
  const part = (i) => i / (FINE - 1);
  if (kind === "strike") {
    const often = columnsOf(view, kind, STRIKES).map((column) => column.key); // a far strike of one expiry is no axis
    const [low, high] = [Math.log(often[0]), Math.log(often.at(-1))];
    return Array.from({ length: FINE }, (_, i) => {
      const k = Math.exp(low + (high - low) * part(i));
      return { label: strike(rounded(k)), place: (shape) => Math.log(k / shape.forward) };
    });
  }
  const coarse = columnsOf(view, kind, 99);
  const at = coarse.map((column) => column.key);
  if (kind === "moneyness") {
    return Array.from({ length: FINE }, (_, i) => {
      const m = at[0] * (at.at(-1) / at[0]) ** part(i);
      return { label: m.toFixed(2), place: () => Math.log(m) };
    });
  }
  return coarse;
}

// Two figures, as an axis has them: 106 312 → 110k.
function rounded(k) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(k)) - 1);
  return Math.round(k / unit) * unit;
}

// Quadrangles of four known corners, the farthest first.
export function faces(grid) {
  const found = [];
  for (let r = 0; r + 1 < grid.length; r++) {
    for (let i = 0; i + 1 < grid[r].length; i++) {
      const corners = [grid[r][i], grid[r][i + 1], grid[r + 1][i + 1], grid[r + 1][i]];
      if (corners.every(Boolean)) found.push({ corners, depth: corners.reduce((sum, one) => sum + one.depth, 0) });
    }
  }
  return found.sort((a, b) => a.depth - b.depth);
}

// The colour of a height of `built`.
export function tint(built, iv) {
  if (built.change) return mixed(STILL, iv < 0 ? FALL : HIGH, Math.abs(iv) / built.high);
  return mixed(LOW, HIGH, (iv - built.low) / (built.high - built.low));
}

const mixed = (from, to, share) => `rgb(${from.map((one, i) => Math.round(one + (to[i] - one) * share)).join(" ")})`;
