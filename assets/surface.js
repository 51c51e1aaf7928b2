// The volatility panel: which of its pictures is shown, of which coin, in which columns, against which moment.
// Every picture stands from the start and is only hidden: a canvas keeps its state, the camera its place.

import * as arbitrage from "./arbitrage.js";
import { choice, keep, recall, scoped } from "./choices.js";
import { $, attr, el, flag, keyed, put } from "./dom.js";
import { choose, instrument, mark, picked, views, when } from "./feed.js";
import * as factors from "./factors.js";
import * as heat from "./heat.js";
import { legend } from "./legend.js";
import * as smile from "./smile.js";
import * as smiles from "./smiles.js";
import * as space from "./space.js";
import * as term from "./term.js";

const AXES = new Set(["heatmap", "smiles", "3D"]); // pictures that have columns
const CHANGES = new Set(["heatmap", "smiles", "term", "3D"]); // and those that can show a change
const MANY = 7; // expiries: with more the picture needs more of the panel
const YOUNG = { mark: "", text: "not that old yet: now", title: "the session is younger than the moment that was chosen" };
let width = 0;
let followed = null; // [coin, day] of an option that has just been chosen

export function start() {
  recall();
  const box = $("surface");
  new ResizeObserver(([entry]) => {
    width = entry.contentRect.width;
    mark("surface");
  }).observe(box);
  box.addEventListener("click", (event) => {
    const cell = event.target.closest("[data-instrument]");
    if (cell?.dataset.instrument) choose(cell.dataset.instrument);
    const row = event.target.closest("[data-expiry]");
    if (row) pick(row.dataset.expiry);
  });
  tabs($("surface-tabs"));
  chosen("surface-columns", "columns");
  chosen("surface-moments", "moment");
  chosen("surface-coins", "coin");
  show();
  when(["instrument", "chain"], follow);
  when(["surface", "instrument"], draw);
  when(["status"], () => !views.surface && mark("surface")); // told many times a second: only what is missing hangs on it
  for (const part of [smiles, term, space, factors]) part.start(); // they draw what was picked above
  smile.start(earlier);
  arbitrage.start(() => turn("flags"), earlier);
}

// Another option is looked at. What is told again of the same one changes nothing: the trader may look elsewhere.
function follow() {
  const row = views.chain?.instruments.find(([name]) => name === instrument());
  if (!row || row[0] === follow.last) return;
  follow.last = row[0];
  followed = row[1] === "option" ? row[0].split("-").slice(0, 2) : null;
  mark("surface");
}

// Tabs as they are walked with keys: one stop, arrows go along.
function tabs(list) {
  list.addEventListener("click", (event) => event.target.dataset.tab && turn(event.target.dataset.tab));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const all = [...list.children];
    const next = all[(all.indexOf(event.target) + step + all.length) % all.length];
    turn(next.dataset.tab);
    next.focus();
    event.preventDefault();
  });
}

function chosen(id, name) {
  $(id).addEventListener("click", (event) => {
    const button = event.target.closest("[data-choice]");
    if (!button || button.disabled) return;
    keep({ [name]: button.dataset.choice });
    show();
  });
}

function turn(name) {
  for (const part of [heat, smiles, term, space]) part.leave();
  keep({ tab: name });
  show();
}

// What is pressed, what is shown. Choices that a picture does not have stay in their place, dimmed.
function show() {
  for (const tab of $("surface-tabs").children) {
    attr(tab, "aria-selected", tab.dataset.tab === choice.tab);
    attr(tab, "tabindex", tab.dataset.tab === choice.tab ? 0 : -1);
  }
  for (const body of $("surface").querySelectorAll("[data-body]")) body.hidden = body.dataset.body !== choice.tab;
  attr($("panel-surface"), "data-shown", choice.tab);
  pressed();
  mark("surface");
}

function pressed() {
  press("surface-columns", choice.columns, () => AXES.has(choice.tab));
  press("surface-moments", choice.moment, (value) => CHANGES.has(choice.tab) && (!value || Boolean(momentOf(value))));
}

function press(id, value, can) {
  for (const button of $(id).children) {
    attr(button, "aria-pressed", button.dataset.choice === value);
    button.disabled = !can(button.dataset.choice);
  }
}

const momentOf = (minutes) => (minutes ? views.surface?.past.find((one) => String(one.minutes) === minutes) : undefined);
const earlier = () => momentOf(choice.moment);

function pick(code) {
  if (picked.code === code) return;
  picked.code = code;
  mark("surface");
}

function draw() {
  const view = views.surface;
  const some = Boolean(view?.smiles.length);
  if (some) followInstrument(view);
  coins(view);
  if (!width) return;
  $("panel-surface").querySelector(".smile").hidden = !some;
  for (const id of ["surface-choices", "surface-scale"]) $(id).hidden = !some;
  $("surface-empty").hidden = some;
  put($("surface-empty"), some ? "" : views.status ? "No option is listed." : "Waiting for the engine.");
  if (!some) {
    for (const body of $("surface").querySelectorAll("[data-body]")) body.hidden = true;
    draw.blank = true;
    return;
  }
  if (draw.blank) show();
  draw.blank = false;
  const part = scoped(view);
  flag($("panel-surface"), "many", part.smiles.length > MANY);
  if (!part.smiles.some((one) => one.code === picked.code)) picked.code = part.smiles[0].code;
  pressed();
  legend(picture(part));
}

// A desk of two coins: one is looked at, the others are a press away.
function coins(view) {
  const names = view?.coin.split(" ") ?? [];
  const several = names.length > 1;
  put($("surface-coin"), several ? "" : (view?.coin ?? ""));
  $("surface-coins").hidden = !several;
  keyed($("surface-coins"), several ? names : [], (name) => name, coinButton, (node, name) => attr(node, "aria-pressed", name === scoped(view).coin));
}

function coinButton(name) {
  const node = el("button", "", name);
  node.type = "button";
  node.dataset.choice = name;
  return node;
}

// Draw the one that is shown; returns its legend.
function picture(view) {
  const then = earlier();
  const young = choice.moment && !then && CHANGES.has(choice.tab) ? [YOUNG] : [];
  if (choice.tab === "heatmap") return [...young, ...heat.draw($("surface-heat"), view, choice.columns, then, width)];
  if (choice.tab === "3D") return [...young, ...space.draw(view, choice.columns, then)];
  if (choice.tab === "smiles") return [...young, ...smiles.draw($("surface-smiles"), view, choice.columns, then)];
  if (choice.tab === "term") return [...young, ...term.draw($("surface-term"), view, then)];
  return arbitrage.legend(view);
}

// Its coin is shown, its expiry's smile is drawn. A desk of two coins says the coin with the day.
function followInstrument(view) {
  if (!followed) return;
  const [coin, day] = followed;
  followed = null;
  const found = view.smiles.find((one) => one.code === `${coin} ${day}`) ?? view.smiles.find((one) => one.code === day);
  if (!found) return;
  picked.code = found.code;
  if (found.code !== day && choice.coin !== coin) keep({ coin });
}
