// What stands at an expiry and a column: in strikes, moneyness or delta; now, or against an earlier moment.

import { instrument, twin } from "./feed.js";
import { known, strike } from "./format.js";
import { ivAt, moneynessOf } from "./svi.js";

const MONEYNESS = [0.7, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2, 1.3];
const DELTAS = [0.95, 0.9, 0.85, 0.75, 0.65, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05]; // of the call
const SAME = 1e-6;

// Columns of a kind: `{ label, title, place(shape) → log-moneyness }`; at most `room` of them.
export function columnsOf(view, kind, room) {
  if (kind === "strike") return strikes(view, room).map((k) => ({ key: k, label: strike(k), strike: k, place: (shape) => Math.log(k / shape.forward) }));
  if (kind === "moneyness") return thinned(MONEYNESS, 1, room).map((m) => ({ key: m, label: m.toFixed(2), place: () => Math.log(m) }));
  return thinned(DELTAS, 0.5, room).map((d) => ({ key: d, label: deltaLabel(d), place: (shape) => moneynessOf(shape, d) }));
}

// 0.25 → 25C, 0.75 → 25P: the option that is out of the money
const deltaLabel = (d) => (d === 0.5 ? "50Δ" : d > 0.5 ? `${Math.round(100 - 100 * d)}P` : `${Math.round(100 * d)}C`);

// The middle stays, both ends lose the same.
function thinned(list, middle, room) {
  const at = list.indexOf(middle);
  const each = Math.max(1, Math.floor((room - 1) / 2));
  return list.slice(Math.max(0, at - each), at + each + 1);
}

// Which strikes fit: those that most expiries quote, near the money before far, the picked option's always.
function strikes(view, room) {
  const forward = view.smiles[0].forward || view.strikes[Math.floor(view.strikes.length / 2)];
  const looked = Number(instrument().split("-")[2]);
  const worth = view.strikes.map((k, i) => ({
    k,
    count: k === looked ? Infinity : view.grid.filter((row) => known(row[i])).length,
    gap: Math.abs(Math.log(k / forward)),
  }));
  worth.sort((a, b) => b.count - a.count || a.gap - b.gap);
  return worth.slice(0, room).map((one) => one.k).sort((a, b) => a - b);
}

// `{ iv, fit, then, change, quality, instrument }` of a smile at a column. `quality`: quoted, fitted or none: between
// two strikes with quotes on both sides it is quoted, with what the quotes differ from the fit carried between them.
export function cellOf(smile, column, earlier) {
  const shape = smile.shape;
  const k = shape && column.place(shape);
  const at = column.strike ?? (shape ? shape.forward * Math.exp(k) : null);
  const nothing = { iv: null, fit: null, then: null, change: null, quality: "none", instrument: "", strike: at };
  if (!known(at)) return nothing;
  const [low, high, share] = around(smile, at);
  if (!low) return nothing;
  const near = (share < 0.5 ? low : high).strike;
  const fit = shape ? ivAt(shape, k) : null;
  const listed = !column.strike || low.strike === high.strike;
  const left = !listed ? NaN : gapOf(low, fit) * (1 - share) + gapOf(high, fit) * share;
  const quoted = !known(left) ? null : shape ? fit + left : low.mid_iv;
  const before = earlier?.shapes.find((one) => one.code === smile.code);
  const then = before && shape ? ivAt(before, column.place(before)) : null;
  return {
    iv: quoted ?? fit,
    fit,
    then,
    change: known(then) ? fit - then : null,
    quality: known(quoted) ? "quoted" : known(fit) ? "fitted" : "none",
    instrument: listed ? optionAt(smile, near) : "",
    strike: at,
  };
}

// Mid over fit; NaN without a mid, 0 where there is no fit to hold it against.
const gapOf = (point, fit) => (!known(point.mid_iv) ? NaN : known(fit) && known(point.fit_iv) ? point.mid_iv - point.fit_iv : 0);

// The listed strikes to either side, and how far between them; nothing beyond the last.
function around(smile, at) {
  const points = (smile.sorted ??= [...smile.points].sort((a, b) => a.strike - b.strike));
  const i = points.findIndex((point) => point.strike >= at * (1 - SAME));
  if (i < 0) return [];
  if (Math.abs(points[i].strike - at) <= at * SAME) return [points[i], points[i], 0];
  if (i === 0) return [];
  const [low, high] = [points[i - 1], points[i]];
  return [low, high, Math.log(at / low.strike) / Math.log(high.strike / low.strike)];
}

// The out-of-the-money option of a strike; its twin, when that is looked at already.
export function optionAt(smile, k) {
  const point = smile.points.find((one) => one.strike === k);
  if (!point) return "";
  const other = twin(point.instrument);
  return instrument() === point.instrument && other ? other : point.instrument;
}

export const looksAt = (name) => Boolean(name) && (instrument() === name || instrument() === twin(name));
