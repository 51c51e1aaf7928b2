// What can be done about a hard block that refused an order: let one order pass it, in two steps and with a reason, or
// arm an instrument again that was executed too often.

import { command } from "./command.js";
import { button, el, put } from "./dom.js";
import { views } from "./feed.js";
import { reasoned } from "./forms.js";

export function lift(block, instrument) {
  const box = el("div", "lift");
  box.dataset.lift = block;
  box.append(block === "repeats" ? rearm(instrument) : first(box, block, instrument));
  return box;
}

export const rearm = (instrument) =>
  reasoned("re-arm…", "why it may be traded again", (reason) => command({ do: "rearm_repeats", instrument, reason }));

// The first step: which block, and why.
function first(box, block, instrument) {
  return reasoned(`lift ‘${block}’ once…`, `why ‘${block}’ should let one order pass`, async (reason) => {
    const answer = await command({ do: "ask_lift", block, instrument, reason });
    if (answer.ok) box.replaceChildren(second(box, block, instrument));
    return answer;
  });
}

// The second step, by whoever asked.
function second(box, block, instrument) {
  const line = el("span", "reasoned");
  const said = el("span", "dim", "asked for; nothing is lifted yet");
  const confirm = button(`confirm: one order past ‘${block}’`, "act yes", async () => {
    confirm.disabled = true;
    const answer = await grant(block, instrument);
    confirm.disabled = false;
    if (answer.ok) box.replaceChildren(el("span", "warn", "▲ lifted for one order: send it again"));
    else put(said, answer.text);
  });
  confirm.dataset.action = "grant";
  line.append(confirm, said);
  return line;
}

function grant(block, instrument) {
  const asked = (views.desk?.lifts ?? []).filter((one) => one.block === block && one.instrument === instrument && one.state === "asked");
  if (!asked.length) return { ok: false, text: "its time is over: ask again" };
  return command({ do: "grant_lift", lift: asked.at(-1).id });
}
