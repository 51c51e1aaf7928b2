// Under a row, while it is open. Of a parent: other terms, more now, the trader's own view, what becomes of its
// children. Of a child that rests: another price or size.

import { command } from "./command.js";
import { button, el, flag, put } from "./dom.js";
import { mark, now, views } from "./feed.js";
import { changed, field, keysOf, num, pick } from "./forms.js";
import { amount, known, number, percent } from "./format.js";
import { lift } from "./lift.js";

const FORMS = { edit, press, view, pause, cancel, hedge, amend };
const TABS = ["edit", "press", "view", "hedge", "cancel"];
const ALGORITHMS = { adaptive: "adaptive", twap: "TWAP", vwap: "VWAP", pov: "POV", almgren_chriss: "A–C" };
const { adaptive: _, ...BASELINES } = ALGORITHMS;
const open = new Map(); // parent id → which form

export const drawerOf = (parent) => open.get(parent);

// Open a form, or close it when it is the one that is open.
export function toggle(parent, form) {
  if (open.get(parent) === form) open.delete(parent);
  else open.set(parent, form);
  mark("desk");
}

export function shut(parent) {
  open.delete(parent);
  mark("desk");
}

export const resting = (parent) => views.desk.children.filter((child) => child.parent === parent && ["requested", "sent", "open"].includes(child.state));

export function make(item) {
  const row = el("tr", "drawer");
  const cell = (row.cell_ = el("td"));
  row.dataset.drawer = item.form;
  row.parent = item.row;
  const tabs = el("div", "drawer-tabs");
  for (const name of item.form === "amend" ? [] : TABS) {
    const tab = button(name, "act", () => open.get(row.parent.id) !== name && toggle(row.parent.id, name));
    tab.dataset.tab = name;
    tab.setAttribute("aria-pressed", String(name === item.form));
    tabs.append(tab);
  }
  const said = el("span", "said");
  said.setAttribute("role", "status");
  const close = () => shut(row.parent.id);
  tabs.append(said, button("close", "act last", close));
  const form = el("div", `drawer-form form-${item.form}`);
  row.told = (answer, after) => told(row, said, form, answer, after);
  FORMS[item.form](row, form);
  cell.append(tabs, form);
  row.append(cell);
  keysOf(cell, () => form.querySelector("button.yes:not(:disabled)")?.click(), close);
  requestAnimationFrame(() => form.querySelector("input, select, button")?.focus({ preventScroll: false }));
  return row;
}

export function fill(row, item, columns) {
  row.cell_.colSpan = columns;
  row.parent = item.row;
  row.redraw?.(item.row);
}

// The engine's word: the outcome, or why not and what can be done about it.
function told(row, said, form, answer, after) {
  put(said, answer.text);
  flag(said, "good", answer.ok);
  flag(said, "bad", !answer.ok);
  form.querySelector(".lift")?.remove();
  if (!answer.ok && answer.block) form.append(lift(answer.block, row.parent.instrument));
  if (answer.ok) after?.();
}

async function ask(row, press, verb, after) {
  press.disabled = true;
  row.told({ ok: true, text: "pending…" });
  const answer = await command({ [verb.do === "edit_child" ? "child" : "parent"]: row.parent.id, ...verb });
  press.disabled = false;
  row.told(answer, after);
}

const leaving = (row) => () => setTimeout(() => drawerOf(row.parent.id) === row.dataset.drawer && shut(row.parent.id), 1200);
const share = (value) => (value ? Number((value * 100).toFixed(4)) : "");

function edit(row, form) {
  const { terms, version, lot, digits, end_ms } = row.parent;
  const left = number(Math.max(0, end_ms - now()) / 60_000, 1);
  const f = {
    quantity: num(terms.quantity, lot), limit: num(terms.limit ? Number(terms.limit.toFixed(digits)) : "", "any", "none"), limit_iv: num(terms.limit_iv, "any", "none"), minutes: num("", "any", left),
    algorithm: pick(ALGORITHMS, terms.algorithm), baseline: pick(BASELINES, terms.baseline), urgency: num(terms.urgency, 1),
    auto_limit: num(terms.auto_limit, lot), min_child: num(terms.min_child, lot), max_child: num(terms.max_child, lot),
    would: num(terms.would, "any", "none"), participation: num(share(terms.participation), "any", "none"), rate: num(share(terms.rate), "any"),
    random_time: num(share(terms.random_time), "any", "0"), random_size: num(share(terms.random_size), "any", "0"),
    leave: pick({ pull: "pulled", leave: "left" }, terms.leave ? "leave" : "pull"),
  };
  const labels = { limit_iv: "limit, IV %", minutes: "minutes left", baseline: "schedule", auto_limit: "auto ≤", min_child: "least child", max_child: "most child", would: "I-would", participation: "cap, %", rate: "POV, %", random_time: "time ±, %", random_size: "size ±, %", leave: "when stopped" };
  for (const [name, node] of Object.entries(f)) form.append(field(labels[name] ?? name, node));
  const pull = el("input");
  pull.type = "checkbox";
  form.append(field("pull children", pull, "take resting children away as well; they are left where they are otherwise"));
  const send = button("", "act yes", () => ask(row, send, { do: "edit_parent", pull: pull.checked, ...terms_of(f) }, leaving(row)));
  form.append(send);
  const draw = () => {
    const count = Object.values(f).filter((node) => changed(node) !== null).length;
    const stale = row.parent.version !== version;
    put(send, stale ? `version ${row.parent.version} meanwhile: close and look` : count ? `change ${count} → version ${version + 1}` : "nothing changed");
    send.disabled = stale || !count;
  };
  form.addEventListener("input", draw);
  row.redraw = draw;
  draw();
}

// The terms that were changed, as the engine takes them; what was emptied is nothing.
function terms_of(f) {
  const said = {};
  for (const [name, node] of Object.entries(f)) {
    const value = changed(node);
    if (value === null) continue;
    if (["participation", "rate", "random_time", "random_size"].includes(name)) said[name] = (value || 0) / 100;
    else if (name === "leave") said.leave = value === "leave";
    else said[name] = Number.isNaN(value) ? (["would", "limit", "limit_iv", "min_child", "max_child"].includes(name) ? 0 : null) : value;
  }
  return said;
}

// The limit as a price, as a volatility, or as both.
function beyond({ limit, digits, terms }) {
  const said = [limit > 0 ? number(limit, digits) : "", known(terms.limit_iv) ? `${number(terms.limit_iv, 1)} %` : ""];
  return said.filter(Boolean).join(" or ");
}

function press(row, form) {
  const parent = row.parent;
  const left = () => Math.max(0, row.parent.amount - row.parent.filled - row.parent.working);
  const quantity = num(Math.min(parent.terms.max_child, left()) || "", parent.lot);
  const words = el("span", "dim");
  const send = button("press", "act yes", () => ask(row, send, { do: "press", quantity: quantity.valueAsNumber }));
  const all = button("all that is left", "act", () => {
    quantity.value = Number(left().toFixed(6));
    row.redraw();
  });
  form.append(field("take now", quantity), all, send, words);
  row.redraw = () => {
    put(send, `press: ${parent.side} ${amount(quantity.valueAsNumber)} now`);
    send.disabled = !(quantity.valueAsNumber > 0) || row.parent.state !== "working";
    put(words, row.parent.state !== "working" ? `it is ${row.parent.state}` : `across the spread, never beyond ${beyond(row.parent)} · ${amount(left())} left`);
  };
  form.addEventListener("input", row.redraw);
  row.redraw();
}

function view(row, form) {
  const had = row.parent.view;
  const f = { up: num(share(had?.up), "any", "0"), down: num(share(had?.down), "any", "0"), seconds: num(60, 1), weight: num(share(had?.weight), "any", "as set") };
  form.append(field("up, %", f.up), field("down, %", f.down), field("for, s", f.seconds), field("weight, %", f.weight, "beside the model's; as set in the settings if empty"));
  const verb = () => {
    const weight = f.weight.valueAsNumber;
    return { do: "view", up: (f.up.valueAsNumber || 0) / 100, down: (f.down.valueAsNumber || 0) / 100, seconds: f.seconds.valueAsNumber, ...(known(weight) ? { weight: weight / 100 } : {}) };
  };
  const send = button("set my view", "act yes", () => ask(row, send, verb()));
  const off = button("take it away", "act", () => ask(row, off, { do: "view", seconds: 0 }));
  const words = el("span", "dim");
  form.append(send, off, words);
  row.redraw = ({ view: own }) => {
    off.disabled = !own;
    put(words, own ? `now up ${percent(own.up)}, down ${percent(own.down)}, weight ${percent(own.weight)}, ${number(Math.max(0, own.until_ms - now()) / 1000)} s left` : "no view: the model's odds stand alone");
  };
  row.redraw(row.parent);
}

function pause(row, form) {
  const count = resting(row.parent.id).length;
  const [word, leave] = [el("span", "", `Pause. What becomes of ${count === 1 ? "the child" : `the ${count} children`} at work?`), row.parent.terms.leave];
  const pull = button("pull", leave ? "act" : "act yes", () => ask(row, pull, { do: "pause", leave: false }, leaving(row)));
  const stay = button("leave where they are", leave ? "act yes" : "act", () => ask(row, stay, { do: "pause", leave: true }, leaving(row)));
  form.append(word, ...(leave ? [stay, pull] : [pull, stay]));
}

function cancel(row, form) {
  const word = el("span");
  const pull = button("", "act no", () => ask(row, pull, { do: "cancel_parent", leave: false }));
  const stay = button("cancel, and leave them to me", "act no", () => ask(row, stay, { do: "cancel_parent", leave: true }));
  form.append(word, pull, stay, button("keep it", "act", () => shut(row.parent.id)));
  row.redraw = () => {
    const count = resting(row.parent.id).length;
    put(word, `End this parent with ${amount(row.parent.filled)} of ${amount(row.parent.amount)} done.`);
    put(pull, count ? `cancel, and pull its ${count}` : "cancel it");
    stay.hidden = !count;
  };
  row.redraw();
}

// Of a child that rests. A smaller size keeps its place in the queue, anything else loses it.
function amend(row, form) {
  const { amount: size, price, lot, digits } = row.parent;
  const f = { quantity: num(size, lot ?? "any"), price: num(Number(price.toFixed(digits ?? 4)), "any") };
  const send = button("change it", "act yes", () => {
    const said = Object.fromEntries(Object.entries(f).map(([name, node]) => [name, changed(node)]).filter(([, value]) => value !== null));
    ask(row, send, { do: "edit_child", ...said }, leaving(row));
  });
  form.append(field("size, filled part included", f.quantity), field("price", f.price), send, el("span", "dim", "a smaller size keeps its place in the queue; anything else loses it"));
}

// How a hedge of this parent's delta goes.
function hedge(row, form) {
  const names = { off: "off", manual: "ask me", semi: "small ones go", auto: "all go" };
  const buttons = Object.entries(names).map(([dial, label]) => {
    const one = button(label, "act", () => ask(row, one, { do: "hedge_dial", dial }));
    one.dataset.hedge = dial;
    return one;
  });
  const words = el("span", "dim");
  form.append(el("span", "", "hedges of its delta"), ...buttons, words);
  row.redraw = () => {
    const mine = views.hedge?.rows.find((one) => one.parent === row.parent.id);
    for (const one of buttons) one.setAttribute("aria-pressed", String(one.dataset.hedge === row.parent.terms.hedge));
    put(words, mine ? `its fills hold ${number(mine.delta, 3)} coin of delta` : "nothing filled yet");
  };
  row.redraw();
}
