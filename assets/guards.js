// What holds the desk back, and what a person can do about it: a kill, a halted engine, an instrument that was executed
// too often, a block that is being lifted. A strip over the blotter; nothing is there while nothing is held back.

import { command } from "./command.js";
import { $, button, el, keyed, put } from "./dom.js";
import { now, views, when } from "./feed.js";
import { reasoned } from "./forms.js";
import { known, number, signed } from "./format.js";
import { rearm } from "./lift.js";

export function start() {
  when(["status", "desk", "tick"], draw);
}

function draw() {
  const all = [...killed(views.status), ...tripped(), ...lifts()];
  $("guards").hidden = !all.length;
  keyed($("guards"), all, (one) => one.id, make, (row, one) => {
    put(row.words, one.text);
    row.words.title = one.text;
  });
}

function make(one) {
  const row = el("div", `guard ${one.level}`);
  row.dataset.guard = one.id.split("/")[0];
  row.append(el("span", "glyph", one.level === "bad" ? "■" : "▲"), (row.words = el("span", "words")));
  if (one.act) row.append(one.act());
  return row;
}

function* killed(status) {
  if (!status || status.mode === "replay") return;
  if (status.killed) yield { id: `killed/${known(status.kill_ms)}`, level: "bad", text: killWords(status), act: known(status.kill_ms) ? armed : null };
  if (status.halted) yield { id: "halted", level: "bad", text: `Halted: ${status.halted}`, act: unhalt };
}

function killWords(status) {
  const who = status.killed.split(":")[0].replace(/^k/, "K");
  if (!known(status.kill_ms)) return `${who}: cancelling, and asking the venue until it says that nothing is open`;
  const spot = views.ladder?.forward;
  const usd = known(spot) && known(status.kill_delta) ? ` (${signed((status.kill_delta * spot) / 1000, 1)} k USD)` : "";
  return `${who}: the venue confirmed after ${number(status.kill_ms)} ms that nothing is open. Delta left ${signed(status.kill_delta, 3)} coin${usd}. Nothing new goes out.`;
}

const armed = () => reasoned("re-arm…", "why it is safe to arm again", (reason) => command({ do: "rearm", reason }));
const unhalt = () => reasoned("go on…", "what was mended", (reason) => command({ do: "unhalt", reason }));

function* tripped() {
  for (const one of views.desk?.tripped ?? [])
    yield { id: `tripped/${one.side} ${one.instrument}`, level: "bad", text: `${one.instrument}: ${one.reason}. Nothing more of it until a person arms it again.`, act: () => rearm(one.instrument) };
}

function* lifts() {
  for (const one of views.desk?.lifts ?? []) {
    const left = Math.max(0, Math.ceil((one.until_ms - now()) / 1000));
    const what = `‘${one.block}’ for one order in ${one.instrument}, by ${one.by}: ${one.reason}`;
    if (one.state === "asked") yield { id: `asked/${one.id}`, level: "warn", text: `Asked to lift ${what} · ${left} s to confirm`, act: () => confirm(one.id) };
    else yield { id: `granted/${one.id}`, level: "warn", text: `Lifted ${what} · unused, ${left} s left` };
  }
}

function confirm(id) {
  const box = el("span", "reasoned");
  const said = el("span", "bad");
  const press = button("confirm", "act yes", async () => {
    press.disabled = true;
    const answer = await command({ do: "grant_lift", lift: id });
    press.disabled = false;
    put(said, answer.ok ? "" : answer.text);
  });
  press.dataset.action = "grant";
  box.append(press, said);
  return box;
}
