// Tables of the Costs page: a parent's fills, children and decisions; overrides, markouts and foretold slippage of all.

import { TERMS, plain } from "./costs_terms.js";
import { $, attr, flag, keyed, put } from "./dom.js";
import { mark, views } from "./feed.js";
import { clock, known, number, percent } from "./format.js";
import { cells, drawWhisker, table, whisker } from "./heads.js";
import { chosenTab, tabsOf } from "./tabs.js";

const OF_A_FILL = ["underlying", "volatility", "timing", "spread", "impact", "fees"];
const OF_A_CHILD = TERMS.filter((term) => term !== "opportunity");
const AFTER = ["1", "5", "30", "60"];
const COLUMNS = {
  fills: [["time", "time", "the venue's, UTC"], ["num amount", "amount"], ["num price", "price"], ["how", ""], ...OF_A_FILL.map((term) => [`num ${term}`, term, "ticks for each contract of this fill"]), ...AFTER.map((s) => [`num after${s}`, `${s} s`, "markout, ticks: above zero the market went our way"])],
  children: [["time", "sent"], ["by", "by"], ["row", "row"], ["num filled", "filled"], ["how", ""], ...OF_A_CHILD.map((term) => [`num ${term}`, term, "ticks a contract of what was filled, against the price when it was proposed"]), ["num total", "total"], ["num foretold", "slip", "slippage beyond the touch that was foretold, ticks"], ["num came", "came", "slippage as it came, ticks"]],
  decisions: [["time", "time"], ["kind", "decision"], ["by", "by"], ["num amount", "amount"], ["num suggested", "suggested", "estimate of what the suggestion would have paid"], ["num paid", "paid", "for the same quantity afterwards"], ["num earned", "earned", "ticks a contract, estimate: above zero the decision was the better one"], ["why", ""]],
  overrides: [["kind", "decision"], ["num n", "how many"], ["num scored", "scored"], ["picture", "← worse · better →", "ticks a contract with the 90 % interval, by parent"], ["num earned", "earned", "ticks a contract; an estimate"], ["num coin", "coin", "altogether; an estimate"], ["told", ""]],
  markouts: [["who", ""], ["num seconds", "after"], ["num n", "fills"], ["picture", "← against us · for us →", "ticks with the 90 % interval"], ["num mean", "ticks", "above zero the market went our way"], ["num missing", "not seen"]],
  predicted: [["model", "forecast by"], ["num n", "orders"], ["num foretold", "foretold", "ticks beyond the touch"], ["num came", "came"], ["picture", "← cheaper · dearer →", "came less foretold, ticks, with the 90 % interval"], ["num error", "error"], ["num inside", "in band", "share inside the forecast's 80 % band"]],
};
const RULE = "An estimate: what a suggestion would have paid then (its walk of the book, or its touch by the chance of a fill) against what the same quantity really cost afterwards. Intervals are 90 %, by parent.";
const EMPTY = { fills: "nothing was filled yet", children: "no child was filled yet", decisions: "nobody has decided on a proposal of it", overrides: "", markouts: "no fill has been marked yet", predicted: "no order that crossed stood on a forecast yet" };
const grids = {};

export function start() {
  tabsOf("costs-detail", () => mark("cost"));
  tabsOf("costs-all", () => mark("cost"));
}

export function draw(view, detail) {
  one(chosenTab("costs-detail"), detail);
  together(chosenTab("costs-all"), view);
  put($("costs-rule"), chosenTab("costs-all") === "overrides" ? RULE : "");
  $("costs-rule").title = RULE;
}

function grid(place, kind) {
  if (grids[place]?.kind !== kind) grids[place] = Object.assign(table($(place), COLUMNS[kind], kind), { kind });
  return grids[place];
}

function rows(place, kind, items, key, fill) {
  const node = grid(place, kind);
  keyed(node.body, items, key, () => made(kind), fill);
  node.empty ??= node.createCaption();
  node.empty.className = "empty-line";
  put(node.empty, items.length ? "" : EMPTY[kind]);
}

function made(kind) {
  const tr = cells(COLUMNS[kind]);
  if (tr.at.picture) whisker(tr.at.picture);
  return tr;
}

function one(kind, detail) {
  const digits = (detail?.parent.digits ?? 4) + 1;
  if (kind === "fills") rows("costs-fills", kind, [...(detail?.fills ?? [])].reverse(), (fill) => fill.trade, (tr, fill) => filled(tr.at, fill, digits - 1));
  if (kind === "children") rows("costs-fills", kind, (detail?.children ?? []).filter((child) => child.filled).reverse(), (child) => child.id, (tr, child) => worked(tr.at, child));
  if (kind === "decisions") rows("costs-fills", kind, (detail?.calls ?? []).filter((call) => call.kind !== "withdrawn").reverse(), (call) => `${call.t_ms} ${call.kind}`, (tr, call) => decided(tr.at, call, digits));
}

function filled(at, fill, digits) {
  put(at.time, clock(fill.t_ms, true));
  put(at.amount, number(fill.amount, 1));
  put(at.price, number(fill.price, digits));
  put(at.how, fill.maker ? "■" : "●");
  at.how.title = fill.maker ? "rested" : "took";
  for (const term of OF_A_FILL) put(at[term], fill.unknown.includes(term) ? "~" : plain(fill.ticks[term], 2));
  for (const s of AFTER) put(at[`after${s}`], plain(fill.markouts[s], 2));
}

function worked(at, child) {
  put(at.time, clock(child.t_ms));
  put(at.by, child.by);
  put(at.row, child.row || "pressed");
  put(at.filled, `${number(child.filled, 1)} of ${number(child.amount, 1)}`);
  put(at.how, child.crossed ? "●" : "■");
  at.how.title = child.crossed ? "took" : "rested";
  for (const term of [...OF_A_CHILD, "total"]) put(at[term], (child.unknown[term] ?? 0) >= 1 ? "~" : plain(child.ticks?.[term], 2));
  put(at.foretold, plain(child.predicted, 2));
  put(at.came, plain(child.realised, 2));
  at.foretold.title = child.model;
}

function decided(at, call, digits) {
  put(at.time, clock(call.t_ms));
  put(at.kind, call.kind);
  put(at.by, call.by || "nobody");
  put(at.amount, number(call.amount, 1));
  put(at.suggested, number(call.suggested, digits));
  put(at.paid, number(call.paid, digits));
  put(at.earned, plain(call.earned_ticks, 2));
  put(at.why, [call.reason, call.why].filter(Boolean).join("; "));
  at.why.title = at.why.textContent;
}

// ---------------------------------------------------------------- all together

function together(kind, view) {
  if (kind === "overrides") {
    const [low, high] = reach((view?.tally ?? []).map((row) => row.earned));
    rows("costs-all", kind, view?.tally ?? [], (row) => row.kind, (tr, row) => tally(tr, row, low, high));
  }
  if (kind === "markouts") {
    const made = (view?.markouts ?? []).filter((row) => row.ticks.n || row.missing);
    const [low, high] = reach(made.map((row) => row.ticks));
    rows("costs-all", kind, made, (row) => `${row.maker} ${row.seconds}`, (tr, row) => markout(tr, row, low, high));
  }
  if (kind === "predicted") {
    const [low, high] = reach((view?.predicted ?? []).map((row) => row.error));
    rows("costs-all", kind, view?.predicted ?? [], (row) => row.model, (tr, row) => foretold(tr, row, low, high));
  }
}

function reach(means) {
  const far = 1.08 * Math.max(0.1, ...means.flatMap((one) => [one.mean, one.lo, one.hi]).filter(known).map(Math.abs));
  return [-far, far];
}

const verdict = ({ lo, hi }, good) => (!known(lo) ? "none" : lo > 0 ? (good ? "good" : "bad") : hi < 0 ? (good ? "bad" : "good") : "none");

function tally(tr, row, low, high) {
  put(tr.at.kind, row.kind);
  flag(tr, "whole", row.kind === "all overrides");
  put(tr.at.n, number(row.n));
  put(tr.at.scored, row.earned.n ? number(row.earned.n) : "–");
  drawWhisker(tr.at.picture, row.earned, low, high, verdict(row.earned, true));
  put(tr.at.earned, plain(row.earned.mean, 2));
  put(tr.at.coin, row.earned.n ? plain(row.coin, 5) : "–");
  put(tr.at.told, row.said);
  tr.at.told.title = row.said;
  if (row.kind === "rejected") attr(tr, "title", (views.costs?.reasons ?? []).map(([reason, n]) => `${reason} (${n})`).join("; "));
}

function markout(tr, row, low, high) {
  put(tr.at.who, row.maker ? "■ maker" : "● taker");
  put(tr.at.seconds, `${row.seconds} s`);
  put(tr.at.n, number(row.ticks.n));
  drawWhisker(tr.at.picture, row.ticks, low, high, verdict(row.ticks, true));
  put(tr.at.mean, plain(row.ticks.mean, 2));
  put(tr.at.missing, number(row.missing));
}

function foretold(tr, row, low, high) {
  put(tr.at.model, row.model);
  put(tr.at.n, number(row.realised.n));
  put(tr.at.foretold, plain(row.predicted.mean, 2));
  put(tr.at.came, plain(row.realised.mean, 2));
  drawWhisker(tr.at.picture, row.error, low, high, verdict(row.error, false));
  put(tr.at.error, plain(row.error.mean, 2));
  put(tr.at.inside, percent(row.inside));
}
