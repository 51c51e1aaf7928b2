// What the model in use has been worth here of late, whether its inputs are like its training, how often rows fire.

import { $, attr, keyed, put } from "./dom.js";
import { views, when } from "./feed.js";
import { known, number, percent, signed } from "./format.js";
import { HEADS, cells, drawWhisker, headName, table, whisker } from "./heads.js";

const COLUMNS = [
  ["gauge", "gauge"],
  ["skill", "verdict"],
  ["picture", "better →", "gain over the baseline per forecast, with its 90 % interval"],
  ["num gain", "gain", "per forecast; nats, ticks or per cent, by head; above zero is better"],
  ["num n", "judged", "forecasts whose outcome is known"],
];
const ROWS = [
  ["row", "policy row"],
  ["num share", "fires", "share of the moments in which the policy was read"],
  ["flag", ""],
];
const WORDS = { edge: "edge", "no edge": "no edge", "unknown yet": "unproven", drift: "drift" };
let heads;
let rows;

export function start() {
  heads = table($("skill-table"), COLUMNS, "live skill");
  rows = table($("skill-rows"), ROWS, "policy rows");
  when(["skill", "status"], draw);
}

function draw() {
  const view = views.skill;
  put($("skill-name"), view?.model ?? "");
  put($("skill-note"), view ? drift(view) : "waiting for the engine");
  $("skill-note").title = view ? `share of the inputs of late that are unlike what it was trained on; above ${percent(view.unlike_limit)} nothing it says is believed` : "";
  attr($("skill-note"), "data-tone", view && view.unlike > view.unlike_limit ? "warn" : "");
  if (!view) return;
  const all = Object.keys(HEADS).filter((head) => view.skill[head]).map((head) => ({ head, ...view.skill[head] }));
  keyed(heads.body, all, (one) => one.head, make, fill);
  keyed(rows.body, view.rows, (one) => one.name, () => cells(ROWS), (tr, one) => {
    put(tr.at.row, one.name);
    attr(tr, "title", one.kind);
    put(tr.at.share, known(one.share) ? percent(one.share, 1) : "–");
    put(tr.at.flag, one.flag ? `▲ ${one.flag}` : "");
  });
}

function drift(view) {
  if (view.model === "baseline") return "no model in use";
  const share = percent(view.unlike);
  return view.unlike > view.unlike_limit ? `▲ drift: ${share} unlike training` : `${share} unlike training`;
}

function make() {
  const tr = cells(COLUMNS);
  tr.badge = document.createElement("span");
  tr.badge.className = "verdict";
  tr.at.skill.append(tr.badge);
  whisker(tr.at.picture);
  return tr;
}

// A row has a scale of its own: heads are told in different units.
function fill(tr, one) {
  put(tr.at.gauge, headName(one.head));
  put(tr.badge, WORDS[one.verdict]);
  attr(tr.badge, "data-verdict", one.verdict);
  const reach = 1.1 * Math.max(1e-9, ...[one.gain, one.lo, one.hi].filter(known).map(Math.abs));
  drawWhisker(tr.at.picture, { mean: one.gain, lo: one.lo, hi: one.hi }, -reach, reach, one.verdict === "edge" ? "good" : "none");
  put(tr.at.gain, known(one.gain) ? signed(one.gain, 4) : "–");
  tr.at.gain.title = known(one.lo) ? `90 %: ${signed(one.lo, 4)} to ${signed(one.hi, 4)}` : "";
  put(tr.at.n, number(one.n));
}
