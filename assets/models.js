// The models that are here: opened from the top bar. Promoting asks the engine, which answers in the decision log too.

import { press } from "./command.js";
import { $, attr, button, el, flag, keyed, put } from "./dom.js";
import { views, when } from "./feed.js";
import { known, number } from "./format.js";

const HISTORY = 6; // lines that are shown

export function start() {
  const [dialog, figure] = [$("models"), $("top-model")];
  attr(figure, "role", "button");
  attr(figure, "title", "the models that are here; promote or roll back");
  figure.tabIndex = 0;
  figure.addEventListener("click", open);
  figure.addEventListener("keydown", (event) => event.key === "Enter" && open());
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  $("models-back").addEventListener("click", () => ask($("models-back"), { do: "rollback" }));
  when(["models", "status"], () => dialog.open && draw());
}

function open() {
  draw();
  put($("models-said"), views.models ? "" : "this screen's engine has no registry");
  $("models").showModal();
}

async function ask(node, verb) {
  await press(node, verb, (answer) => put($("models-said"), answer.text));
  draw();
}

function draw() {
  const view = views.models;
  const replay = views.status?.mode === "replay";
  put($("models-in-use"), view?.in_use ?? views.status?.model ?? "");
  $("models-back").disabled = replay || !view?.history.length;
  if (!view) return;
  if (view.note) put($("models-said"), view.note);
  keyed($("models-rows"), view.models, (row) => row.id, make, (tr, row) => fill(tr, row, view.in_use, replay));
  $("models-history").replaceChildren(...view.history.slice(0, HISTORY).map(line));
}

function make(row) {
  const tr = el("tr");
  tr.name = el("td", "name");
  tr.state = el("td");
  tr.worth = el("td", "num");
  tr.promote = button("promote", "quiet", () => ask(tr.promote, { do: "promote", model: row.id }));
  const last = el("td");
  last.append(tr.promote);
  tr.append(tr.name, tr.state, tr.worth, last);
  return tr;
}

function fill(tr, row, used, replay) {
  put(tr.name, row.id);
  put(tr.state, row.bad || [row.id === used && "in use", row.champion && "champion", row.where].filter(Boolean).join(", "));
  put(tr.worth, worth(row));
  attr(tr.worth, "title", "log-loss of direction on fresh sessions when it was trained; lower is better");
  flag(tr, "bad", row.bad);
  if (!tr.promote.classList.contains("pending")) tr.promote.disabled = replay || Boolean(row.bad) || (row.champion && row.id === used);
}

function worth(row) {
  const direction = row.scores.find((score) => score.head === "direction");
  const base = direction?.rivals.find((rival) => rival.name === "base")?.loss;
  return known(base) ? `${number(direction.loss, 3)} (base rate ${number(base, 3)})` : "not judged";
}

function line(step) {
  const at = new Date(step.at_ms).toISOString().slice(0, 16).replace("T", " ");
  const what = step.did === "promote" ? `promoted ${step.model}` : `rolled back to ${step.model}`;
  return el("li", "", `${at} UTC: ${step.by} ${what}, before it ${step.before || "none"}`);
}
