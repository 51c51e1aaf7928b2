// The models that are here: chosen by a click, promoted and rolled back by the engine, which answers in words.

import { press } from "./command.js";
import { $, attr, button, el, flag, keyed, put } from "./dom.js";
import { mark, views, when } from "./feed.js";
import { day, hm, number } from "./format.js";
import { cells, loss, rivalsOf, say, table, verdict } from "./heads.js";

const COLUMNS = [
  ["name", "model"],
  ["standing", "standing"],
  ["trained", "trained on", "sessions × minutes of market in each"],
  ["regimes", "regimes", "of the crowd"],
  ["data", "data", "hash of what it was trained on"],
  ["crowd", "crowd", "hash of the crowd's settings"],
  ["code", "code", "version that trained it"],
  ["num loss", "direction 1 s", "log-loss on the sessions it was judged on; lower is better"],
  ["num better", "heads better", "heads whose loss lies below their baseline's, its interval too"],
  ["acts", ""],
];
let rows;
let picked = ""; // by a person; else the champion is shown
let asked = null; // number of the last note when something was asked for

export function start() {
  rows = table($("models-table"), COLUMNS, "models");
  $("models-back").addEventListener("click", rollBack);
  $("models-confirm").addEventListener("keydown", (event) => event.key === "Escape" && drop());
  when(["models", "status", "link", "picked"], draw);
  when(["notes"], follow);
}

// The model whose scores are shown, as a row of the registry.
export function shown() {
  const all = views.models?.models ?? [];
  return all.find((row) => row.id === picked) ?? all.find((row) => row.champion) ?? all[0];
}

export function pick(id) {
  picked = id;
  mark("picked");
}

export const readOnly = () => views.status?.mode === "replay" || !views.link.engine;

function draw() {
  const view = views.models;
  const missing = views.status?.mode === "replay" ? "a replay has no registry" : views.status ? "this engine has no registry" : "waiting for the engine";
  put($("models-note"), view ? view.note || `${view.models.length} here, ${view.in_use} in use` : missing);
  flag($("models-note"), "bad", view?.note);
  $("models-back").disabled = readOnly() || !stack(view).length;
  if (!view) return;
  const one = shown();
  keyed(rows.body, view.models, (row) => row.id, make, (tr, row) => fill(tr, row, view.in_use, one));
  $("models-history").replaceChildren(...view.history.map(line));
  if (!view.history.length) $("models-history").append(el("li", "dim", "nothing was promoted yet: the newest shipped model is the champion"));
}

function make(row) {
  const tr = cells(COLUMNS);
  attr(tr, "data-model", row.id);
  tr.addEventListener("click", () => pick(row.id));
  tr.name = button(row.id, "link", () => pick(row.id));
  tr.at.name.append(tr.name);
  tr.promote = button("promote", "act", (event) => (event.stopPropagation(), promote(row.id)));
  tr.at.acts.append(tr.promote);
  return tr;
}

function fill(tr, row, used, one) {
  const at = tr.at;
  attr(tr, "aria-selected", row === one);
  attr(tr.name, "aria-pressed", row === one);
  flag(tr, "bad", row.bad);
  const standing = [row.id === used && "● in use", row.champion ? "champion" : "candidate"];
  at.standing.title = row.where === "shipped" ? "came with the desk" : "kept in the data folder";
  put(at.standing, row.bad ? "not usable" : standing.filter(Boolean).join(" · "));
  at.trained.colSpan = row.bad ? 7 : 1;
  for (const name of ["regimes", "data", "crowd", "code", "loss", "better"]) at[name].hidden = Boolean(row.bad);
  tr.promote.disabled = readOnly() || Boolean(row.bad) || (row.champion && row.id === used);
  if (row.bad) return void put(at.trained, row.bad);
  const trained = row.sessions ? `${row.sessions} × ${row.minutes ? number(row.minutes) : "?"} min` : "recordings";
  put(at.trained, row.sessions || row.data ? trained : "–");
  put(at.regimes, row.regimes.join(", ") || "–");
  at.regimes.title = row.regimes.join(", ");
  hash(at.data, row.data);
  hash(at.crowd, row.crowd);
  put(at.code, row.code.split("+").at(-1) || "–");
  at.code.title = row.code;
  worth(at, row.scores);
}

function hash(cell, text) {
  put(cell, text ? text.slice(0, 8) : "–");
  if (text) cell.title = text;
}

function worth(at, scores) {
  const direction = scores.find((score) => score.head === "direction");
  put(at.loss, direction ? loss(direction.loss) : "not judged");
  const judged = scores.filter((score) => rivalsOf(score).length);
  const better = judged.filter((score) => verdict(rivalsOf(score)[0]) === "better");
  put(at.better, judged.length ? `${better.length} of ${judged.length}` : "–");
}

function line(step) {
  const node = el("li");
  const what = step.did === "promote" ? `promoted ${step.model}` : `rolled back to ${step.model}`;
  node.append(el("span", "time", `${day(step.at_ms)} ${hm(step.at_ms)} UTC, ${step.by}`), el("span", "", what));
  node.title = `before it ${step.before || "none"}`;
  return node;
}

// The champions that stand on each other, the present one last; empty while the shipped one stands.
function stack(view) {
  const found = [];
  for (const step of [...(view?.history ?? [])].reverse()) {
    if (step.did === "promote") found.push(step.model);
    else found.pop();
  }
  return found;
}

// ---------------------------------------------------------------- asked twice, answered in words

function promote(id) {
  const before = views.models.in_use;
  question(`Make ${id} the champion? The engine uses it from its next step and warms up anew; ${before} is one roll-back away.`, "promote", { do: "promote", model: id });
}

function rollBack() {
  const all = stack(views.models);
  const to = all.length > 1 ? all.at(-2) : "the shipped model";
  question(`Go back from ${all.at(-1)} to ${to}? The engine uses it from its next step and warms up anew.`, "roll back", { do: "rollback" });
}

function question(text, word, verb) {
  const strip = $("models-confirm");
  const yes = button(word, "yes", async () => {
    asked = views.notes.at(-1)?.n ?? 0;
    await press(yes, verb, (answer) => say($("models-said"), answer.text, answer.ok ? "" : "bad"));
    drop();
  });
  const words = el("span", "", text);
  words.id = "models-question";
  attr(strip, "aria-labelledby", words.id);
  strip.replaceChildren(words, button("cancel", "quiet last", drop), yes);
  strip.hidden = false;
  yes.focus();
}

function drop() {
  $("models-confirm").hidden = true;
  $("models-confirm").replaceChildren();
}

// What came of it is a line of the decision log, told here too.
function follow() {
  if (asked === null) return;
  const note = views.notes.filter((one) => one.n > asked && one.model && one.level !== "info").at(-1);
  if (note) say($("models-said"), note.text, note.level === "bad" ? "bad" : "good");
}
