// Keys. Those that decide work only while armed, by a switch that can be seen; those that look work always.

import { $, attr, button, el, put, typing } from "./dom.js";
import { centre } from "./ladder.js";
import { show } from "./picker.js";
import { actOnPinned } from "./proposals.js";
import { toggle } from "./replay.js";
import { go, page } from "./route.js";

const DECIDE = { a: "approve", e: "edit", r: "reject" };
const LIST = [
  ["A", "approve the pinned proposal", true],
  ["E", "edit it, then Enter approves; Escape leaves it", true],
  ["R", "reject it; its “why…” says the reason as well", true],
  ["Space", "put the touch in the middle of the ladder"],
  ["/", "choose an instrument"],
  ["P", "play or pause a replay"],
  ["M", "the Model page, and back"],
  ["?", "this list"],
];
let armed = false;

export function start() {
  $("keys-arm").addEventListener("click", () => arm(!armed));
  document.addEventListener("keydown", pressed);
  fill($("keys"));
}

function arm(on) {
  armed = on;
  attr($("keys-arm"), "aria-pressed", on);
  put($("keys-arm").querySelector(".word"), on ? "keys armed" : "keys off");
  document.body.classList.toggle("armed", on);
}

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || typing(event) || document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  if (key === "m") go(page() === "model" ? "/" : "/model");
  else if (page() !== "desk" && key !== "?") return; // what cannot be seen is not decided
  else if (DECIDE[key]) {
    if (armed) actOnPinned(DECIDE[key]);
    else return;
  } else if (key === " " && event.target.tagName !== "BUTTON") centre();
  else if (key === "/") show();
  else if (key === "p") toggle();
  else if (key === "?") $("keys").showModal();
  else return;
  event.preventDefault();
}

function fill(dialog) {
  const list = el("dl");
  for (const [key, meaning, decides] of LIST) {
    const name = el("dt");
    name.append(el("kbd", "", key));
    list.append(name, el("dd", "", decides ? `${meaning} (when armed)` : meaning));
  }
  dialog.append(el("h2", "head", "Keys"), list, button("close", "quiet close", () => dialog.close()));
}
