// The card beside what the pointer or the keyboard is at: a name, and figures in rows. It takes no clicks.

import { $, el, flag, keyed, put } from "./dom.js";

const GAP = 6;
let node = null;
let owner = null;

// `rows`: [label, value, class]; `at`: { left, right, top, bottom } in the window. `who` may hide it again.
export function show(who, title, rows, at) {
  owner = who;
  node ??= build();
  put(node.name, title);
  keyed(node.list, rows, ([label]) => label, make, fill);
  node.hidden = false;
  place($("panel-surface").getBoundingClientRect(), at);
}

export function hide(who) {
  if (node && owner === who) node.hidden = true;
}

export const box = (canvas, x, y) => {
  const { left, top } = canvas.getBoundingClientRect();
  return { left: left + x - GAP, right: left + x + GAP, top: top + y - GAP, bottom: top + y + GAP };
};

function build() {
  const made = el("div", "card-surface");
  made.setAttribute("role", "tooltip");
  made.id = "surface-card";
  made.append((made.name = el("b")), (made.list = el("dl")));
  document.body.append(made);
  return made;
}

function make([label]) {
  const row = el("div");
  row.append(el("dt", "", label), el("dd"));
  return row;
}

function fill(row, [, value, tone]) {
  put(row.lastChild, value);
  flag(row, "warn", tone === "warn");
}

// Over the panel's other half: what is told of stays in sight, and the ladder is never covered.
function place(panel, at) {
  const { offsetWidth: wide, offsetHeight: tall } = node;
  const left = Math.max(panel.left + GAP, Math.min(panel.right - wide - GAP, (at.left + at.right - wide) / 2));
  const picture = $("surface").getBoundingClientRect();
  const top = (at.top + at.bottom) / 2 < picture.bottom ? picture.bottom + GAP : Math.max(panel.top, picture.bottom - tall - GAP);
  node.style.left = `${Math.round(left)}px`;
  node.style.top = `${Math.round(top)}px`;
}
