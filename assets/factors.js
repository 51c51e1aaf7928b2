// The picked expiry in a few numbers: now, since earlier moments, and in a minute, with what that forecast is worth.

import { choice } from "./choices.js";
import { $, el, flag, keyed, put } from "./dom.js";
import { picked, views, when } from "./feed.js";
import { known, number, signed } from "./format.js";

const COLUMNS = ["", "now", "−1 m", "−5 m", "−15 m", "in 1 m", "forecast"];
const AGO = [1, 5, 15];
const NAMES = { index: "30 d index", level: "level", skew: "skew /10 %", curvature: "curvature", slope: "term slope" };
let table = null;

export function start() {
  table = el("table", "factors");
  const head = el("tr");
  for (const column of COLUMNS) head.append(el("th", "", column));
  table.append(el("caption", "dim"), el("thead"), el("tbody"));
  table.tHead.append(head);
  $("surface-factors").append(table);
  when(["surface"], draw);
}

// The index of the coin that is looked at, per cent; null where none is known.
export const indexOf = (view) => factorsOf(view).find((row) => row.name === "index")?.value ?? null;

function factorsOf(view) {
  const coin = picked.code.includes(" ") ? picked.code.split(" ")[0] : view.coin.split(" ")[0]; // of the expiry that is picked
  return view.factors.filter((row) => row.coin === coin && (!row.code || row.code === picked.code));
}

function draw() {
  const on = choice.tab === "term";
  $("surface-factors").hidden = !on;
  $("smile").parentElement.hidden = on;
  put($("smile-kind"), on ? "factors" : "smile");
  const view = views.surface;
  if (!on || !view) return;
  const rows = factorsOf(view);
  table.tHead.hidden = !rows.length;
  put(table.caption, rows.length ? "" : "No smile of this expiry is fitted to quotes: nothing to measure.");
  keyed(table.tBodies[0], rows, (row) => row.name, make, fill);
}

function make(row) {
  const tr = el("tr");
  tr.append(el("th", "", NAMES[row.name] ?? row.name), ...COLUMNS.slice(1).map(() => el("td")));
  return tr;
}

// A forecast without skill stands back, and says so.
function fill(tr, row) {
  const edge = row.verdict === "edge";
  const [now, ...rest] = [...tr.children].slice(1);
  const plain = row.name === "index" || row.name === "level";
  put(now, plain ? number(row.value, 2) : signed(row.value, 2));
  AGO.forEach((ago, i) => put(rest[i], signed(row.changes.find(([minutes]) => minutes === ago)?.[1], 2)));
  put(rest[3], known(row.ahead) ? signed(row.ahead - row.value, 2) : "");
  put(rest[4], row.verdict === "unknown yet" ? "unproven" : row.verdict);
  flag(tr, "none", !edge);
  rest[4].title = known(row.gain)
    ? `gain over "as now" ${signed(row.gain, 4)} points, 90 % within ${signed(row.lo, 4)} … ${signed(row.hi, 4)}, of ${number(row.n)} judged`
    : `${number(row.n)} judged so far`;
}
