// The model's heads and their rivals in words, and the picture that stands for a difference: a dot with its interval.

import { attr, el, flag, put } from "./dom.js";
import { known, number, signed } from "./format.js";

export const HEADS = {
  direction: "direction 1 s",
  direction_10: "direction 10 s",
  direction_60: "direction 60 s",
  slippage: "slippage",
  fill: "fill 5 s",
  impact: "impact 5 s",
  spread: "spread 10 s",
  volatility: "IV 60 s",
};

const RIVALS = {
  base: "base rate",
  past_only: "past-only rule",
  logistic: "logistic",
  boosting: "boosting",
  deeplob: "DeepLOB",
  transformer: "transformer",
  book: "book as it stands",
  persistence: "persistence",
};

export const headName = (head) => HEADS[head] ?? head;
export const rivalName = (name) => RIVALS[name] ?? name;

// Of a difference of losses, first less second: who is better, as far as its interval tells.
export function verdict({ lo, hi }) {
  if (!known(lo) || !known(hi)) return "–";
  return hi < 0 ? "better" : lo > 0 ? "worse" : "unclear";
}

// The baseline of a head is its first rival; the oracle is no rival but a bound.
export const rivalsOf = (score) => score.rivals.filter((rival) => rival.name !== "oracle");

// A table of fixed columns: [name, caption, title], a number's name after "num". Rows are filled by `keyed` into its body.
export function table(parent, columns, label) {
  const node = el("table", "grid");
  attr(node, "aria-label", label);
  const line = el("tr");
  for (const [name, caption, title] of columns) {
    const cell = el("th", classes(name), caption);
    cell.scope = "col";
    if (title) cell.title = title;
    line.append(cell);
  }
  const head = el("thead");
  head.append(line);
  const body = el("tbody");
  node.append(head, body);
  parent.replaceChildren(node);
  node.body = body;
  return node;
}

const classes = (name) => name.replace(/\w+$/, "c-$&");

// A row of such a table; its cells are found under their names.
export function cells(columns) {
  const row = el("tr");
  row.at = {};
  for (const [name] of columns) row.append((row.at[name.split(" ").at(-1)] = el("td", classes(name))));
  return row;
}

export function whisker(cell) {
  const track = el("div", "whisker");
  cell.parts = { zero: el("u"), span: el("i"), dot: el("b") };
  track.append(cell.parts.zero, cell.parts.span, cell.parts.dot);
  cell.append(track);
}

// Draw `mean` with `lo` … `hi` between `low` and `high`; what lies outside is cut at the edge, and squared off there.
export function drawWhisker(cell, { mean, lo, hi }, low, high, tone) {
  const at = (value) => Math.min(100, Math.max(0, ((value - low) / (high - low)) * 100));
  const { zero, span, dot } = cell.parts;
  zero.style.left = `${at(0).toFixed(2)}%`;
  dot.hidden = !known(mean);
  span.hidden = !known(lo) || !known(hi);
  if (!dot.hidden) dot.style.left = `${at(mean).toFixed(2)}%`;
  if (!span.hidden) {
    span.style.left = `${at(lo).toFixed(2)}%`;
    span.style.width = `${(at(hi) - at(lo)).toFixed(2)}%`;
  }
  flag(dot, "cut", known(mean) && (mean < low || mean > high));
  attr(cell, "data-tone", tone);
}

// A common scale for several: what is better lies to the left, zero never at the edge, the hopeless cut at the double.
export function scaleOf(rows) {
  const all = rows.flatMap((row) => [row.mean, row.lo, row.hi]).filter(known).map((value) => Math.min(1, Math.max(-1, value)));
  const low = Math.min(-0.02, ...all);
  const high = Math.max(0.004, -low / 5, ...all);
  return [Math.min(low, -high / 5) * 1.06, high * 1.06];
}

// A difference as a share: −9.7 %, and beyond ten times as much × 73.
export const share = (value) => (!known(value) ? "–" : value > 9 ? `× ${number(value + 1)}` : `${signed(value * 100, 1)} %`);
export const loss = (value) => (known(value) ? number(value, value < 0.1 ? 4 : 3) : "–");

export function say(node, text, tone = "") {
  put(node, text);
  attr(node, "data-tone", tone);
}
