// The blotter: parents ▸ children ▸ fills as a tree; positions; what was decided; what went wrong.

import { command } from "./command.js";
import { notes } from "./decisions.js";
import { $, attr, button, el, flag, keyed, put } from "./dom.js";
import { choose, mark, now, views, when } from "./feed.js";
import { amount, hm, known, millis, number, percent, signed, span } from "./format.js";
import * as positions from "./positions.js";
import { blank, classOf, table } from "./tables.js";

const ORDER_COLUMNS = ["order", "side", "qty", "done / schedule", "limit", "average", "arrival", "shortfall", "dial", "left", "state"];
const LIVE = new Set(["working", "paused"]); // parents that still do something
const RESTING = new Set(["requested", "sent", "open", "cancelling"]); // children that may still fill
const SURE_MS = 3000;

let tab = "orders";
let bodies = {};
const open = new Map(); // row id → opened or closed by hand
export const focus = { parent: "" }; // whose progress is drawn

export function start() {
  bodies = { orders: table(ORDER_COLUMNS, "orders"), positions: positions.layout(), decisions: el("div", "notes"), alerts: el("div", "notes") };
  $("blotter").append(...Object.values(bodies));
  $("blotter-tabs").addEventListener("click", (event) => event.target.dataset.tab && turn(event.target.dataset.tab));
  turn(tab);
  when(["desk", "tick"], orders);
  when(["desk", "risk"], () => tab === "positions" && positions.draw());
  when(["notes"], () => notes(tab, bodies));
}

function turn(name) {
  tab = name;
  for (const other of $("blotter-tabs").children) attr(other, "aria-selected", other.dataset.tab === tab);
  for (const [key, body] of Object.entries(bodies)) body.hidden = key !== tab;
  for (const topic of ["desk", "notes"]) mark(topic);
}

function orders() {
  const desk = views.desk;
  put($("blotter-sum"), desk ? summary(desk) : "");
  if (tab !== "orders") return;
  const rows = desk ? tree(desk) : [];
  blank(bodies.orders, rows.length ? "" : none());
  keyed(bodies.orders.body, rows, (row) => row.id, make, fill);
}

function none() {
  if (!views.desk) return "Waiting for the engine.";
  return views.status?.mode === "replay" ? "No orders up to this moment." : "No orders yet. Fill in the ticket and send a parent.";
}

function summary(desk) {
  const working = desk.parents.filter((parent) => LIVE.has(parent.state)).length;
  const resting = desk.children.filter((child) => RESTING.has(child.state)).length;
  return `${working} working · ${resting} resting · ${desk.fills.length} fills`;
}

// The tree as a flat list of rows, newest parents first, only what is open.
function tree(desk) {
  const children = Map.groupBy(desk.children, (child) => child.parent);
  const fills = Map.groupBy(desk.fills, (one) => one.child);
  const tops = [...desk.parents].sort((a, b) => b.start_ms - a.start_ms);
  const known = new Set(tops.map((parent) => parent.id));
  const rows = [];
  const byHand = desk.children.filter((child) => !known.has(child.parent));
  for (const parent of tops) {
    const own = children.get(parent.id) ?? [];
    const shown = opened(parent.id, LIVE.has(parent.state)) && own.length > 0;
    rows.push({ kind: "parent", id: parent.id, row: parent, more: own.length > 0, shown });
    if (shown) for (const child of newest(own)) branch(rows, child, fills);
  }
  if (byHand.length) {
    const shown = opened("by hand", true);
    rows.push({ kind: "hand", id: "by hand", count: byHand.length, more: true, shown });
    if (shown) for (const child of newest(byHand)) branch(rows, child, fills);
  }
  return rows;
}

const newest = (children) => [...children].sort((a, b) => b.t_ms - a.t_ms);
const opened = (id, otherwise) => open.get(id) ?? otherwise;

function branch(rows, child, fills) {
  const own = fills.get(child.id) ?? [];
  const shown = own.length > 0 && opened(child.id, false);
  rows.push({ kind: "child", id: child.id, row: child, more: own.length > 0, shown });
  if (shown) for (const one of own) rows.push({ kind: "fill", id: `${child.id}/${one.trade}`, row: one });
}

function make(item) {
  const row = el("tr", item.kind);
  row.cells_ = Object.fromEntries(ORDER_COLUMNS.map((name) => [name, el("td", classOf(name))]));
  const { order: first, "done / schedule": done, dial, state } = row.cells_;
  const parts = ORDER_COLUMNS.map((name) => row.cells_[name]);
  if (item.kind === "parent") row.append(...parts);
  else row.append(...parts.slice(0, 6), (row.story = el("td", "story")), parts.at(-1)); // room for a reason
  row.fold = button("", "fold", () => {
    open.set(item.id, !row.shown);
    mark("desk");
  });
  row.name = item.row ? button("", "link", () => choose(row.item.row.instrument)) : el("span");
  first.append(row.fold, row.name, (row.tail = el("span", "dim")));
  if (item.kind === "parent") {
    done.append((row.share = el("span")), (row.bar = el("span", "pg")));
    row.bar.append((row.bar.fill = el("i")), (row.bar.mark = el("u")));
    dial.append(...(row.dials = dials(row)));
  }
  const last = el("div", "state");
  row.why = el("span", "why dim");
  last.append((row.word = el("span", "word")), (row.acts = el("span", "acts")));
  if (row.story) row.story.append(row.why);
  else row.word.after(row.why);
  if (row.story) row.story.colSpan = 4;
  state.append(last);
  if (item.kind === "parent") row.acts.append((row.pause = pauses(row)), (row.stop = sure("cancel", () => ask(row, { do: "cancel_parent", parent: row.item.id }))));
  if (item.kind === "child") row.acts.append((row.stop = button("cancel", "act", () => ask(row, { do: "cancel", child: row.item.id }))));
  row.addEventListener("click", () => {
    const parent = item.kind === "parent" ? row.item.id : row.item.row?.parent;
    if (!parent || parent === focus.parent) return;
    focus.parent = parent;
    mark("desk");
  });
  return row;
}

function dials(row) {
  return ["manual", "semi", "auto"].map((name) => {
    const press = button(name[0].toUpperCase(), "dial", () => ask(row, { do: "dial", parent: row.item.id, dial: name }), name);
    press.setAttribute("aria-label", `dial: ${name}`);
    press.dataset.dial = name;
    return press;
  });
}

function pauses(row) {
  return button("pause", "act", () => {
    const running = row.item.row.state !== "paused";
    ask(row, { do: running ? "pause" : "resume", parent: row.item.id });
  });
}

// A button that asks once more before it acts.
function sure(text, act) {
  const press = button(text, "act", () => {
    if (press.textContent === text) {
      press.textContent = "sure?";
      setTimeout(() => (press.textContent = text), SURE_MS);
      return;
    }
    press.textContent = text;
    act();
  });
  return press;
}

async function ask(row, verb) {
  row.said = "pending…";
  mark("desk");
  const answer = await command(verb);
  row.said = answer.ok ? "" : answer.text;
  mark("desk");
}

function fill(row, item) {
  row.item = item;
  row.shown = item.shown;
  put(row.fold, item.more ? (item.shown ? "▾" : "▸") : "");
  attr(row.fold, "aria-label", item.shown ? "close" : "open");
  row.fold.disabled = !item.more;
  if (item.kind === "parent") parentRow(row, item.row);
  else if (item.kind === "child") childRow(row, item.row);
  else if (item.kind === "fill") fillRow(row, item.row);
  else put(row.name, `by hand (${item.count})`);
  if (row.said) put(row.why, row.said); // what came of the last click in this row
  if (row.said) row.why.title = row.said;
  flag(row.why, "bad", row.said && row.said !== "pending…");
}

const digits = (value) => (Math.abs(value) >= 1000 ? 1 : 4);
const price = (value, more = 0) => (known(value) ? number(value, digits(value) + more) : "–");

function set(row, column, text) {
  put(row.cells_[column], text);
}

function side(row, one) {
  set(row, "side", one.side);
  flag(row.cells_.side, "up", one.side === "buy");
  flag(row.cells_.side, "down", one.side === "sell");
}

function parentRow(row, parent) {
  put(row.name, parent.instrument);
  put(row.tail, ` · ${parent.algorithm}`);
  side(row, parent);
  set(row, "qty", amount(parent.amount));
  const share = parent.amount ? parent.filled / parent.amount : 0;
  put(row.share, percent(share));
  row.bar.fill.style.width = percentOf(share);
  row.bar.mark.style.left = percentOf(parent.amount ? parent.scheduled / parent.amount : 0);
  row.bar.title = `${amount(parent.filled)} done, ${amount(parent.scheduled)} due, ${amount(parent.working)} working`;
  set(row, "limit", price(parent.limit));
  set(row, "average", price(parent.average, digits(parent.average) === 4 ? 1 : 0));
  set(row, "arrival", price(parent.arrival));
  set(row, "shortfall", known(parent.shortfall_ticks) ? `${signed(parent.shortfall_ticks, 1)} t` : "–");
  const live = LIVE.has(parent.state);
  for (const press of row.dials) {
    attr(press, "aria-pressed", press.dataset.dial === parent.dial);
    press.disabled = !live;
  }
  set(row, "left", live ? span(parent.end_ms - now()) : hm(parent.end_ms));
  word(row, parent.state, parent.reason);
  row.acts.hidden = !live;
  put(row.pause, parent.state === "paused" ? "resume" : "pause");
  flag(row, "focus", focus.parent === parent.id);
}

const percentOf = (share) => `${(Math.min(1, Math.max(0, share)) * 100).toFixed(1)}%`;

function childRow(row, child) {
  put(row.name, `c${child.id.split("-").at(-1)}`); // its number; the whole label is in the title
  row.name.title = child.id;
  put(row.tail, ` ${child.post_only ? "post" : "take"}${child.parent ? "" : ` · ${child.instrument}`}`);
  side(row, child);
  set(row, "qty", amount(child.amount));
  set(row, "done / schedule", percent(child.filled / child.amount));
  set(row, "limit", price(child.price));
  set(row, "average", price(child.average));
  word(row, child.state, [child.reason, child.by].filter(Boolean).join(" · "));
  row.acts.hidden = !RESTING.has(child.state) || child.state === "cancelling";
}

function fillRow(row, one) {
  put(row.name, one.trade);
  put(row.tail, one.maker ? " maker" : " taker");
  set(row, "side", one.side);
  set(row, "qty", amount(one.amount));
  set(row, "average", price(one.price));
  put(row.why, `fee ${number(one.fee, 5)}`);
  put(row.word, millis(one.t_ms));
}

const TONES = { working: "good", open: "good", paused: "warn", lapsed: "warn", expired: "warn", rejected: "bad" };

function word(row, state, reason) {
  put(row.word, state);
  put(row.why, reason);
  row.why.title = reason;
  row.word.dataset.tone = TONES[state] ?? "";
}
