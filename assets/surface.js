// The volatility panel: which of its pictures is shown, in which columns, against which moment.
// Every picture stands from the start and is only hidden: a canvas keeps its state, the camera its place.

import { $, attr, put } from "./dom.js";
import * as arbitrage from "./arbitrage.js";
import { choose, instrument, mark, picked, views, when } from "./feed.js";
import * as factors from "./factors.js";
import * as heat from "./heat.js";
import * as space from "./space.js";
import { smiles, term } from "./term.js";

const KEY = "tidegate.surface"; // what was chosen, kept in the browser
const AXES = new Set(["heatmap", "3D"]); // pictures that have columns
const CHANGES = new Set(["heatmap", "3D"]); // and those that can show a change
export const choice = { tab: "heatmap", columns: "strike", moment: "" };
let width = 0;
let followed = null; // [coin, day] of an option that has just been chosen

export function start() {
  Object.assign(choice, stored());
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
  $("surface-tabs").addEventListener("click", (event) => event.target.dataset.tab && turn(event.target.dataset.tab));
  chosen("surface-columns", (value) => (choice.columns = value));
  chosen("surface-moments", (value) => (choice.moment = value));
  space.start(choice);
  factors.start(choice);
  arbitrage.start(() => turn("flags"), () => earlier(choice.moment));
  show();
  when(["instrument", "chain"], () => {
    const row = views.chain?.instruments.find(([name]) => name === instrument());
    followed = row?.[1] === "option" ? instrument().split("-").slice(0, 2) : null;
    mark("surface");
  });
  when(["surface", "instrument", "status"], draw);
}

function stored() {
  try {
    const { columns, moment } = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const found = {};
    if (["strike", "moneyness", "delta"].includes(columns)) found.columns = columns;
    if (["", "1", "5", "15", "0"].includes(moment)) found.moment = moment;
    return found;
  } catch {
    return {}; // what is not ours is not taken
  }
}

function chosen(id, take) {
  $(id).addEventListener("click", (event) => {
    const button = event.target.closest("[data-choice]");
    if (!button || button.disabled) return;
    take(button.dataset.choice);
    localStorage.setItem(KEY, JSON.stringify({ columns: choice.columns, moment: choice.moment }));
    show();
  });
}

function turn(name) {
  choice.tab = name;
  show();
}

// What is pressed, what is shown. Choices that a picture does not have stay in their place, dimmed.
function show() {
  for (const tab of $("surface-tabs").children) attr(tab, "aria-selected", tab.dataset.tab === choice.tab);
  for (const body of $("surface").querySelectorAll("[data-body]")) body.hidden = body.dataset.body !== choice.tab;
  attr($("panel-surface"), "data-shown", choice.tab);
  press("surface-columns", choice.columns, () => AXES.has(choice.tab));
  press("surface-moments", choice.moment, (value) => CHANGES.has(choice.tab) && (!value || Boolean(earlier(value))));
  mark("surface");
}

function press(id, value, can) {
  for (const button of $(id).children) {
    attr(button, "aria-pressed", button.dataset.choice === value);
    button.disabled = !can(button.dataset.choice);
  }
}

const earlier = (moment) => (moment ? views.surface?.past.find((one) => String(one.minutes) === moment) : undefined);

function pick(code) {
  if (picked.code === code) return;
  picked.code = code;
  mark("surface");
}

function draw() {
  const view = views.surface;
  put($("surface-coin"), view?.coin ?? "");
  if (!width) return;
  const some = Boolean(view?.smiles.length);
  $("panel-surface").querySelector(".smile").hidden = !some;
  $("surface-choices").hidden = !some;
  $("surface-empty").hidden = some;
  put($("surface-empty"), some ? "" : views.status ? "No expiry has a quote yet." : "Waiting for the engine.");
  if (!some) {
    for (const body of $("surface").querySelectorAll("[data-body]")) body.hidden = true;
    draw.blank = true;
    return;
  }
  if (draw.blank) show();
  draw.blank = false;
  followInstrument(view);
  if (!view.smiles.some((smile) => smile.code === picked.code)) picked.code = view.smiles[0].code;
  press("surface-moments", choice.moment, (value) => CHANGES.has(choice.tab) && (!value || Boolean(earlier(value))));
  const [short, long] = picture(view) ?? [];
  put($("surface-scale"), short ?? "");
  attr($("surface-scale"), "title", long ?? "");
}

// Draw the one that is shown; returns what its colours mean.
function picture(view) {
  const then = earlier(choice.moment);
  if (choice.moment && !then && CHANGES.has(choice.tab)) return young(view);
  if (choice.tab === "heatmap") return heat.draw($("surface-heat"), view, choice.columns, then, width);
  if (choice.tab === "3D") return space.draw(view, choice.columns, then);
  if (choice.tab === "smiles") return smiles($("surface-smiles"), view, picked.code);
  if (choice.tab === "term") return term($("surface-term"), view, picked.code);
  return [];
}

// A change was chosen, and the session is younger: what is now is shown, and said.
function young(view) {
  if (choice.tab === "heatmap") heat.draw($("surface-heat"), view, choice.columns, undefined, width);
  else space.draw(view, choice.columns, undefined);
  return ["IV now", "the session is not that old yet: IV now"];
}

// Another option is looked at: its expiry's smile is drawn. A desk of two coins says the coin with the day.
function followInstrument(view) {
  if (!followed) return;
  const [coin, day] = followed;
  const smile = view.smiles.find((one) => one.code === `${coin} ${day}`) ?? view.smiles.find((one) => one.code === day);
  if (smile) picked.code = smile.code;
  followed = null;
}
