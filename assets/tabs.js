// Tabs of a panel, by click and by the arrow keys: which is chosen stands in `aria-selected`.

import { $, attr } from "./dom.js";

const list = (name) => [...$(`${name}-tabs`).children];

export const chosenTab = (name) => list(name).find((tab) => tab.getAttribute("aria-selected") === "true").dataset.tab;

export function turn(name, tab) {
  for (const other of list(name)) {
    attr(other, "aria-selected", other.dataset.tab === tab);
    attr(other, "tabindex", other.dataset.tab === tab ? 0 : -1);
  }
}

export function tabsOf(name, changed) {
  turn(name, chosenTab(name));
  $(`${name}-tabs`).addEventListener("click", (event) => {
    if (!event.target.dataset.tab) return;
    turn(name, event.target.dataset.tab);
    changed();
  });
  $(`${name}-tabs`).addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const all = list(name);
    const next = all[(all.findIndex((tab) => tab.dataset.tab === chosenTab(name)) + step + all.length) % all.length];
    turn(name, next.dataset.tab);
    next.focus();
    changed();
  });
}
