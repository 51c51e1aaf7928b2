// What runs along the foot of a smile: strikes, strikes over the forward, or deltas of the call, high strikes to the right.

import { deltaLabel, shapeOf } from "./cells.js";
import { strike } from "./format.js";
import { deltaAt, ivAt, moneynessOf } from "./svi.js";

const NICE = [
  0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 1,
  1.01, 1.02, 1.03, 1.04, 1.05, 1.06, 1.08, 1.1, 1.15, 1.2, 1.3, 1.4, 1.5, 1.75, 2, 2.5, 3, 4,
];
const DELTAS = [0.95, 0.9, 0.75, 0.5, 0.25, 0.1, 0.05];
const ROUND = [1e6, 1e5, 5e4, 2e4, 1e4, 5e3, 2e3, 1e3, 500, 250, 200, 100, 50, 25, 20, 10, 5, 1, 0];

// Where a strike of a smile lies, growing with strikes; null where it has no such place.
export function along(kind, smile, k) {
  if (kind === "strike") return Math.log(k);
  if (!(smile.forward > 0)) return null;
  if (kind === "moneyness") return Math.log(k / smile.forward);
  const shape = shapeOf(smile);
  return shape ? 1 - deltaAt(shape, Math.log(k / shape.forward)) : null;
}

// The IV that an earlier shape had at the same place: the same strike, moneyness or delta.
export function thenAt(kind, smile, k, before) {
  if (kind === "strike") return ivAt(before, Math.log(k / before.forward));
  const m = Math.log(k / smile.shape.forward);
  return ivAt(before, kind === "moneyness" ? m : moneynessOf(before, deltaAt(smile.shape, m)));
}

// Marks for the foot: { at, text, worth }, the roundest worth most.
export function marksOf(kind, list) {
  if (kind === "delta") return DELTAS.map((d) => ({ at: 1 - d, text: deltaLabel(d), worth: d === 0.5 ? 2 : 1 }));
  if (kind === "moneyness") return NICE.map((m) => ({ at: Math.log(m), text: m.toFixed(2), worth: m === 1 ? 3 : Math.round(m * 100) % 10 ? 1 : 2 }));
  const ks = [...new Set(list.flatMap((smile) => smile.points.map((point) => point.strike)))];
  return ks.map((k) => ({ at: Math.log(k), text: strike(k), worth: ROUND.length - ROUND.findIndex((step) => !step || k % step === 0) }));
}

// Those marks that have room, the worthiest first: no two nearer than `least` pixels.
export function roomy(marks, x, least, from, to) {
  const taken = [];
  for (const mark of [...marks].sort((a, b) => b.worth - a.worth)) {
    const px = x(mark.at);
    if (px >= from && px <= to && taken.every((one) => Math.abs(one.px - px) >= least)) taken.push({ ...mark, px });
  }
  return taken;
}
