// A model's heads beside their rivals, as it was judged; or beside another model's, on the same sessions.

import { $, attr, keyed, put } from "./dom.js";
import { mark, views, when } from "./feed.js";
import { known, number, percent } from "./format.js";
import { HEADS, cells, drawWhisker, headName, loss, rivalName, rivalsOf, scaleOf, share, table, verdict, whisker } from "./heads.js";
import { shown } from "./registry.js";
import { chosenTab, tabsOf, turn } from "./tabs.js";

const COLUMNS = (other, ours, theirs) => [
  ["gauge", "head"],
  ["against", other],
  ["num ours", ours, "mean loss; lower is better"],
  ["num theirs", theirs],
  ["picture", "← better", "difference as a share of the other's loss, with its 90 % interval"],
  ["num difference", "by"],
  ["told", ""],
];
const TONES = { better: "good", worse: "bad", unclear: "none", "–": "none" };
const TELLS = { better: "", worse: "", unclear: "the interval holds zero: no difference can be told", "–": "too few blocks of time for an interval, or not comparable" };
let grid = { kind: "" };
let seen = 0; // the comparison that was shown by itself

export function start() {
  tabsOf("scores", () => mark("picked"));
  when(["models", "picked", "job"], draw);
}

function draw() {
  const comparison = views.job?.comparison;
  if (comparison && views.job.do === "compare" && views.job.state === "done" && views.job.id !== seen) {
    seen = views.job.id;
    turn("scores", "comparison");
  }
  if (chosenTab("scores") === "comparison") compared(comparison);
  else judged(shown());
}

// ---------------------------------------------------------------- against rivals

function judged(row) {
  put($("scores-name"), row?.id ?? "");
  const lines = (row?.scores ?? []).flatMap((score) => rivalsOf(score).map((rival, k) => line(score, rival, k === 0)));
  fill("rivals", lines, ["against", "model", "rival"]);
  told(row ? foot(row, lines) : views.models ? "no model here: the desk runs on baselines" : "");
}

function line(score, rival, first) {
  const part = (value) => (known(value) ? value / rival.loss : null);
  return {
    key: `${score.head} ${rival.name}`,
    head: first ? headName(score.head) : "",
    title: `${score.measure}, ${number(score.n)} moments${known(score.coverage) ? `, band holds ${percent(score.coverage)}` : ""}`,
    against: rivalName(rival.name),
    ours: score.loss,
    theirs: rival.loss,
    mean: part(score.loss - rival.loss),
    lo: part(rival.lo),
    hi: part(rival.hi),
  };
}

function foot(row, lines) {
  if (row.bad) return row.bad;
  if (!lines.length) return "it was not judged when it was made: compare it with the champion";
  const gap = row.scores.find((score) => score.head === "direction")?.gap_closed;
  const oracle = known(gap) ? `${percent(gap)} of the gap to the oracle closed; ` : "";
  return `${oracle}${row.judged_on}; 90 % intervals over blocks of time`;
}

// ---------------------------------------------------------------- against another model

function compared(one) {
  put($("scores-name"), one ? `${one.first} against ${one.second}` : "");
  const order = Object.keys(HEADS);
  const duels = [...(one?.duels ?? [])].sort((a, b) => order.indexOf(a.head) - order.indexOf(b.head));
  const lines = duels.map((duel) => {
    const part = (value) => (known(value) && duel.second ? value / duel.second : null);
    return {
      key: duel.head, head: headName(duel.head), against: "", ours: duel.first, theirs: duel.second,
      title: `${duel.measure}, ${number(duel.n)} moments`, mean: part(duel.mean), lo: part(duel.lo), hi: part(duel.hi),
    };
  });
  fill("models", lines, ["", "first", "second"]);
  const notes = one?.notes.length ? `; ${one.notes.join("; ")}` : "";
  told(one ? `${one.data}${notes}` : "no two models were compared since the engine started: begin below");
}

// ---------------------------------------------------------------- both

function told(text) {
  put($("scores-foot"), text);
  $("scores-foot").title = text;
}

function fill(kind, lines, captions) {
  if (grid.kind !== kind) {
    grid = table($("scores-table"), COLUMNS(...captions), "scores");
    grid.kind = kind;
  }
  const [low, high] = scaleOf(lines);
  keyed(grid.body, lines, (one) => one.key, make, (tr, one) => {
    const at = tr.at;
    const told = verdict(one);
    put(at.gauge, one.head);
    attr(tr, "title", one.title);
    attr(tr, "data-first", Boolean(one.head));
    put(at.against, one.against);
    put(at.ours, loss(one.ours));
    put(at.theirs, loss(one.theirs));
    drawWhisker(at.picture, one, low, high, TONES[told]);
    put(at.difference, share(one.mean));
    put(at.told, told);
    attr(at.told, "data-tone", TONES[told]);
    at.told.title = TELLS[told];
  });
}

function make() {
  const tr = cells(COLUMNS("", "", ""));
  whisker(tr.at.picture);
  return tr;
}
