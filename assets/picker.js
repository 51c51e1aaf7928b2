// The instrument picker: type parts of a name in any order, or take one from the list.

import { $, attr, el, keyed } from "./dom.js";
import { choose, instrument, mark, views, when } from "./feed.js";

const SHOWN = 80;
let field;
let at = 0;
let found = [];

export function start() {
  const dialog = $("picker");
  field = el("input");
  Object.assign(field, { type: "search", placeholder: "28nov 80000 c", spellcheck: false, autocomplete: "off" });
  field.setAttribute("aria-label", "part of an instrument's name");
  $("picker-field").append(field);
  $("picker-open").addEventListener("click", show);
  field.addEventListener("input", () => list((at = 0)));
  field.addEventListener("keydown", keys);
  $("picker-list").addEventListener("click", (event) => take(event.target.closest("[data-name]")?.dataset.name));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  when(["chain", "surface", "desk"], first);
}

export function show() {
  const dialog = $("picker");
  field.value = "";
  at = 0;
  list();
  dialog.showModal();
  field.focus();
}

// Nothing is looked at yet: what the address names, what is being worked, or the option nearest the money.
function first() {
  const names = views.chain?.instruments;
  if (instrument() || !names?.length) return;
  const has = (name) => names.some(([one]) => one === name);
  const asked = decodeURIComponent(location.hash.slice(1));
  if (has(asked)) return choose(asked);
  const working = views.desk?.parents.find((parent) => has(parent.instrument) && parent.state === "working");
  if (working) return choose(working.instrument);
  if (!views.desk || (!views.surface && !first.waited)) {
    if (!first.timer) first.timer = setTimeout(() => ((first.waited = true), mark("chain")), 1500);
    return;
  }
  choose(nearest() ?? names[0][0]);
}

function nearest() {
  const smiles = views.surface?.smiles ?? [];
  const smile = smiles.find((one) => one.years > 3 / 365 && one.points.length) ?? smiles[0];
  if (!smile) return undefined;
  const gap = (point) => Math.abs(Math.log(point.strike / smile.forward)) + (point.call ? 0 : 1e-6);
  return [...smile.points].sort((a, b) => gap(a) - gap(b))[0]?.instrument;
}

function list() {
  const words = field.value.trim().toUpperCase().split(/[\s-]+/).filter(Boolean);
  const fits = ([name]) => words.every((word) => name.split("-").some((part) => part.startsWith(word)));
  found = (views.chain?.instruments ?? []).filter(fits).slice(0, SHOWN);
  at = Math.min(at, Math.max(0, found.length - 1));
  const items = found.length ? found : [["", "no instrument has such a name"]];
  keyed($("picker-list"), items, ([name]) => name, option, (row, [name]) => {
    attr(row, "aria-selected", found[at]?.[0] === name);
    row.classList.toggle("now", name === instrument());
  });
  $("picker-list").querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
}

function option([name, kind]) {
  if (!name) return el("div", "empty", kind);
  const row = el("div", "option");
  row.dataset.name = name;
  row.setAttribute("role", "option");
  row.append(el("span", "", name), el("span", "dim", kind));
  return row;
}

function keys(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    at = Math.max(0, Math.min(found.length - 1, at + step));
    list();
  } else if (event.key === "Enter") take(found[at]?.[0]);
}

function take(name) {
  if (!name) return;
  $("picker").close();
  choose(name);
}
