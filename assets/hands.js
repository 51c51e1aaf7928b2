// Hands on everything: take away what works of one side or all, close what is held, here or everywhere. A strip over the
// blotter that is opened by its button; closing asks once more.

import { command } from "./command.js";
import { $, attr, button, el, flag, put } from "./dom.js";
import { instrument, views, when } from "./feed.js";
import { amount } from "./format.js";

let everywhere = false;
let sure = false;
const p = {};

export function start() {
  $("hands-open").addEventListener("click", () => show($("hands").hidden));
  $("hands").addEventListener("keydown", (event) => event.key === "Escape" && show(false));
  p.here = button("", "act", () => scope(false));
  p.all = button("everything", "act", () => scope(true));
  p.buys = button("pull buys", "act", () => pull("buy"));
  p.sells = button("pull sells", "act", () => pull("sell"));
  p.both = button("pull all", "act", () => pull(null));
  p.flat = button("flatten", "act no", flatten);
  p.said = el("span", "words");
  p.said.setAttribute("role", "status");
  const group = el("span", "scope");
  group.append(p.here, p.all);
  $("hands").append(group, p.buys, p.sells, p.both, p.flat, p.said, button("close", "act", () => show(false)));
  when(["desk"], draw);
  when(["instrument"], reset); // what was asked of one instrument is no yes for another
}

function show(open) {
  $("hands").hidden = !open;
  attr($("hands-open"), "aria-expanded", open);
  reset();
  (open ? p.here : $("hands-open")).focus();
}

function scope(all) {
  everywhere = all;
  reset();
}

function reset() {
  sure = false;
  put(p.said, "");
  draw();
}

const where = () => (everywhere ? "" : instrument());

function draw() {
  if ($("hands").hidden) return;
  put(p.here, instrument() || "this instrument");
  attr(p.here, "aria-pressed", !everywhere);
  attr(p.all, "aria-pressed", everywhere);
  const held = (views.desk?.positions ?? []).filter((one) => one.size && (everywhere || one.instrument === instrument()));
  const words = everywhere ? `${held.length} positions` : amount(held[0]?.size ?? 0);
  put(p.flat, sure ? `sure? pull all, and close ${words}` : "flatten…");
}

const pull = (side) => ask({ do: "pull", instrument: where(), side });

function flatten() {
  sure = !sure;
  if (!sure) ask({ do: "flatten", instrument: where() });
  else draw();
}

async function ask(verb) {
  put(p.said, "pending…");
  const answer = await command(verb);
  reset();
  put(p.said, answer.text);
  p.said.title = answer.text;
  flag(p.said, "good", answer.ok);
  flag(p.said, "bad", !answer.ok);
}
