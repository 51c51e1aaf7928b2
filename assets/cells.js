// What stands at an expiry and a column: in strikes, moneyness or delta; now, or against an earlier moment.

import { instrument, twin } from "./feed.js";
import { known, strike } from "./format.js";
import { deltaAt, ivAt, moneynessOf } from "./svi.js";

const MONEYNESS = [0.7, 0.8, 0.85, 0.9, 0.95, 1, 1.05, 1.1, 1.15, 1.2, 1.3];
const DELTAS = [0.95, 0.9, 0.85, 0.75, 0.65, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05]; // of the call
const SAME = 1e-6;
const OLD_MS = 60_000; // an older quote is in no fit, and is no market

// Columns of a kind: `{ key, label, place(shape) → log-moneyness }`; at most `room` of them.
export function columnsOf(view, kind, room) {
  if (kind === "strike") return strikes(view, room).map((k) => ({ key: k, label: strike(k), strike: k, place: (shape) => Math.log(k / shape.forward) }));
  if (kind === "moneyness") return thinned(MONEYNESS, 1, room).map((m) => ({ key: m, label: m.toFixed(2), place: () => Math.log(m) }));
  return thinned(DELTAS, 0.5, room).map((d) => ({ key: d, label: deltaLabel(d), place: (shape) => moneynessOf(shape, d) }));
}

// 0.25 → 25C, 0.75 → 25P: the option that is out of the money
export const deltaLabel = (d) => (d === 0.5 ? "50Δ" : d > 0.5 ? `${Math.round(100 - 100 * d)}P` : `${Math.round(100 * d)}C`);

// The middle stays, both ends lose the same.
function thinned(list, middle, room) {
  const at = list.indexOf(middle);
  const each = Math.max(1, Math.floor((room - 1) / 2));
  return list.slice(Math.max(0, at - each), at + each + 1);
}

// Which strikes fit: each next one is listed where few are shown yet, near the money before far; the one looked at is
// always there. By what is listed, not by what is quoted: columns must not jump from tick to tick.
function strikes(view, room) {
  const looked = Number(instrument().split("-")[2]);
  const forward = view.smiles.find((smile) => smile.forward > 0)?.forward ?? view.strikes[view.strikes.length >> 1];
  const middle = nearestTo(view.strikes, forward);
  const left = new Map(view.strikes.map((k) => [k, view.smiles.filter((smile) => pointAt(smile, k))]));
  const shown = new Map(view.smiles.map((smile) => [smile, 0]));
  const worth = (k, smiles) => smiles.reduce((sum, smile) => sum + 1 / (1 + shown.get(smile)), 0) - Math.abs(Math.log(k / middle));
  const taken = [];
  while (taken.length < room && left.size) {
    const best = left.has(looked) ? looked : [...left].map(([k, smiles]) => [k, worth(k, smiles)]).sort((a, b) => b[1] - a[1])[0][0];
    for (const smile of left.get(best)) shown.set(smile, shown.get(smile) + 1);
    left.delete(best);
    taken.push(best);
  }
  return taken.sort((a, b) => a - b);
}

const nearestTo = (list, value) => [...list].sort((a, b) => Math.abs(Math.log(a / value)) - Math.abs(Math.log(b / value)))[0];

// A flat stand-in is a level and no smile: nothing of it is shown away from quotes.
export const shapeOf = (smile) => (smile.source === "flat" ? null : smile.shape);

// Whether a strike has a delta that is worth a look: of the far wing there is little to see, and it squeezes all else.
export function near(shape, k, least = 0.02) {
  const delta = deltaAt(shape, k);
  return delta > least && delta < 1 - least;
}

// Whether an option has a market: quoted on both sides, lately, and open. Else why not, in words.
export function lacking(point, now) {
  if (point.state && point.state !== "open") return point.state;
  if (known(point.t_ms) && now - point.t_ms > OLD_MS) return "quote is old";
  if (known(point.mid_iv)) return "";
  return known(point.bid_iv) ? "no offer" : known(point.ask_iv) ? "no bid" : "no quote";
}

const NOTHING = { iv: null, fit: null, then: null, change: null, spread: null, quality: "none", instrument: "", point: null };

// `{ iv, fit, then, change, quality, why, spread, instrument, point, strike }` of a smile at a column; `now` in ms.
// `quality`: quoted, fitted, stand (fitted to the venue's marks), between (no such strike is listed), none. Between two
// strikes with a market it is quoted in moneyness and delta: what the mids differ from the fit is carried between them.
export function cellOf(smile, column, earlier, now) {
  const shape = shapeOf(smile);
  const k = shape && column.place(shape);
  const at = column.strike ?? (shape ? shape.forward * Math.exp(k) : null);
  if (!known(at)) return { ...NOTHING, strike: at, why: "no smile is known" };
  const [low, high, share] = around(smile, at);
  if (!low) return { ...NOTHING, strike: at, why: "beyond the listed strikes" };
  const fit = shape ? ivAt(shape, k) : null;
  const listed = low === high;
  const point = share < 0.5 ? low : high;
  const why = column.strike && !listed ? "not listed" : lacking(low, now) || lacking(high, now);
  const blend = (value) => value(low) * (1 - share) + value(high) * share;
  const iv = why ? fit : known(fit) ? fit + blend(gapOf) : low.mid_iv;
  const before = earlier?.shapes.find((one) => one.code === smile.code);
  const then = before && shape ? ivAt(before, column.place(before)) : null;
  return {
    iv,
    fit,
    then,
    change: known(then) ? fit - then : null,
    spread: why ? null : blend((one) => one.ask_iv - one.bid_iv),
    quality: !why ? "quoted" : !known(fit) ? "none" : column.strike && !listed ? "between" : smile.source === "marks" ? "stand" : "fitted",
    why,
    instrument: optionAt(smile, point.strike),
    point,
    strike: at,
  };
}

// Mid over fit, 0 where there is no fit to hold it against.
const gapOf = (point) => (known(point.fit_iv) ? point.mid_iv - point.fit_iv : 0);

const sortedOf = (smile) => (smile.sorted ??= [...smile.points].sort((a, b) => a.strike - b.strike));
const pointAt = (smile, k) => (smile.at ??= new Map(smile.points.map((point) => [point.strike, point]))).get(k);

// The listed strikes to either side, and how far between them; nothing beyond the last.
function around(smile, at) {
  const points = sortedOf(smile);
  const i = points.findIndex((point) => point.strike >= at * (1 - SAME));
  if (i < 0) return [];
  if (Math.abs(points[i].strike - at) <= at * SAME) return [points[i], points[i], 0];
  if (i === 0) return [];
  const [low, high] = [points[i - 1], points[i]];
  return [low, high, Math.log(at / low.strike) / Math.log(high.strike / low.strike)];
}

// The out-of-the-money option of a strike; its twin, when that is looked at already.
function optionAt(smile, k) {
  const point = pointAt(smile, k);
  if (!point) return "";
  const other = twin(point.instrument);
  return instrument() === other && other ? other : point.instrument;
}

// The listed option nearest to a strike.
export function nearestOption(smile, at) {
  const k = at > 0 && smile.points.length ? nearestTo(smile.points.map((point) => point.strike), at) : null;
  return k ? optionAt(smile, k) : "";
}

export const looksAt = (name) => Boolean(name) && (instrument() === name || instrument() === twin(name));

// Where the forward lies among the columns: 0 at the left edge of the first, 1 at its right; null outside them all.
export function forwardAt(smile, columns) {
  const centre = (column) => column.strike ?? Math.exp(column.place(shapeOf(smile) ?? { forward: smile.forward, years: 0, slices: [] })) * smile.forward;
  if (!(smile.forward > 0) || (!shapeOf(smile) && !columns[0].strike)) return null;
  const ks = columns.map(centre);
  const i = ks.findIndex((k) => k >= smile.forward * (1 - SAME));
  if (i < 0) return null;
  if (i === 0) return ks[0] <= smile.forward * (1 + SAME) ? 0.5 : null;
  return i - 0.5 + Math.log(smile.forward / ks[i - 1]) / Math.log(ks[i] / ks[i - 1]);
}
