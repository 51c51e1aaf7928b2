// Small forms inside rows and cards: labelled fields that know what they held when they were made, and a reason asked
// for before something that is written down.

import { button, el, flag, put } from "./dom.js";

export function num(value, step, hint = "") {
  const node = el("input");
  node.type = "number";
  node.step = step;
  node.value = value ?? "";
  node.placeholder = hint;
  node.was = node.value;
  return node;
}

export function pick(options, value) {
  const node = el("select");
  for (const [name, label] of Object.entries(options)) {
    const one = el("option", "", label);
    one.value = name;
    node.append(one);
  }
  node.value = node.was = value;
  return node;
}

export function field(label, node, title = "") {
  const box = el("label", "slot");
  if (title) box.title = title;
  box.append(el("span", "", label), node);
  node.addEventListener("input", () => flag(box, "changed", node.value !== node.was));
  return box;
}

// What a field says now: a number, a choice, or null while it stands as it was.
export function changed(node) {
  if (node.type === "checkbox") return node.checked ? true : null;
  if (node.value === node.was) return null;
  return node.tagName === "SELECT" ? node.value : node.valueAsNumber;
}

// Enter does `act`, Escape leaves.
export function keysOf(node, act, leave) {
  node.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.tagName === "INPUT") act();
    else if (event.key === "Escape") leave();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

// A button that becomes a field for a reason, which `ask` is called with; the answer's text stands in its place.
export function reasoned(text, hint, ask) {
  const box = el("span", "reasoned");
  const open = button(text, "act", () => {
    const reason = el("input");
    reason.placeholder = hint;
    reason.setAttribute("aria-label", hint);
    const send = async () => {
      go.disabled = true;
      const answer = await ask(reason.value.trim());
      if (answer.ok) box.replaceChildren(open);
      else put(word, answer.text);
      go.disabled = false;
    };
    const go = button(text.replace("…", ""), "act yes", send);
    const word = el("span", "bad");
    box.replaceChildren(reason, go, button("not now", "act", () => box.replaceChildren(open)), word);
    keysOf(box, send, () => box.replaceChildren(open));
    reason.focus();
  });
  box.append(open);
  return box;
}
