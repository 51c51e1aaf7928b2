// The rows of the blotter's tree: a parent with what can be done to it, its children, their fills.

import { command } from "./command.js";
import { attr, button, el, flag, put } from "./dom.js";
import * as drawer from "./drawer.js";
import { choose, mark, now, views } from "./feed.js";
import { amount, hm, known, millis, number, percent, signed, span } from "./format.js";
import { classOf } from "./tables.js";

export const COLUMNS = ["order", "side", "qty", "done / schedule", "limit", "average", "arrival", "shortfall", "part", "left", "dial", "state"];
const STORY = 5; // columns that a child leaves to a reason
export const LIVE = new Set(["working", "paused"]); // parents that still do something
export const RESTING = new Set(["requested", "sent", "open", "amending", "cancelling"]); // children that may still fill
const SAID_MS = 5000;
const open = new Map(); // row id → opened or closed by hand
export const focus = { parent: "" }; // whose progress is drawn

const narrow = matchMedia("(max-width: 1360px)"); // as in desk.css: arrival and part have no room there
const hidden = () => (narrow.matches ? 2 : 0);

export const opened = (id, otherwise) => open.get(id) ?? otherwise;

export function make(item) {
  if (item.kind === "drawer") return drawer.make(item);
  const row = el("tr", item.kind);
  row.cells_ = Object.fromEntries(COLUMNS.map((name) => [name, el("td", classOf(name))]));
  const { order: first, "done / schedule": done, dial, state } = row.cells_;
  const parts = COLUMNS.map((name) => row.cells_[name]);
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
  state.append(last);
  if (item.kind === "parent") row.acts.append(...(row.buttons = acts(row)));
  if (item.kind === "child") row.acts.append(...(row.buttons = childActs(row)));
  if (item.kind === "foreign") row.acts.append(button("cancel", "act", () => ask(row, { do: "cancel_foreign", order: row.item.row.order })));
  if (item.kind === "fill" && !item.row.child) row.acts.append(...(row.buttons = [button("adopt", "act", () => adopt(row), "count it towards the parent that is looked at")]));
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

// Pause asks what becomes of working children, where there are any; the rest is in the drawer under the row.
function acts(row) {
  const pause = button("pause", "act", () => {
    const { id, state } = row.item.row;
    if (state === "paused") ask(row, { do: "resume", parent: id });
    else if (drawer.resting(id).length) drawer.toggle(id, "pause");
    else ask(row, { do: "pause", parent: id });
  });
  const more = (name, text, title) => {
    const press = button(text, "act", () => drawer.toggle(row.item.row.id, name), title);
    press.dataset.form = name;
    return press;
  };
  return [pause, more("edit", "edit", "change its terms"), more("press", "⋯", "press, view, hedge, cancel")];
}

function childActs(row) {
  const edit = button("edit", "act", () => drawer.toggle(row.item.row.id, "amend"));
  return [edit, button("cancel", "act", () => ask(row, { do: "cancel", child: row.item.id }))];
}

async function ask(row, verb) {
  [row.said, row.bad] = ["pending…", false];
  mark("desk");
  const answer = await command(verb);
  row.said = answer.text;
  row.bad = !answer.ok;
  mark("desk");
  if (!answer.ok) return;
  const said = row.said;
  setTimeout(() => {
    if (row.said === said) row.said = "";
    mark("desk");
  }, SAID_MS);
}

export function fill(row, item) {
  if (item.kind === "drawer") return drawer.fill(row, item, COLUMNS.length - hidden());
  if (row.story) row.story.colSpan = STORY - hidden();
  row.item = item;
  row.shown = item.shown;
  put(row.fold, item.more ? (item.shown ? "▾" : "▸") : "");
  attr(row.fold, "aria-label", item.shown ? "close" : "open");
  row.fold.disabled = !item.more;
  if (item.kind === "parent") parentRow(row, item.row);
  else if (item.kind === "child") childRow(row, item.row);
  else if (item.kind === "fill") fillRow(row, item.row);
  else if (item.kind === "foreign") foreignRow(row, item.row);
  else put(row.name, `${item.name ?? "by hand"} (${item.count})`);
  if (row.said) put(row.why, row.said); // what came of the last click in this row
  if (row.said) row.why.title = row.said;
  flag(row.why, "bad", row.said && row.bad);
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
  put(row.tail, `${parent.version > 1 ? ` v${parent.version}` : ""} · ${parent.algorithm}`);
  row.tail.title = `${parent.id}, version ${parent.version}, by ${parent.user}`;
  side(row, parent);
  set(row, "qty", amount(parent.amount));
  const share = parent.amount ? parent.filled / parent.amount : 0;
  put(row.share, percent(share));
  row.bar.fill.style.width = percentOf(share);
  row.bar.mark.style.left = percentOf(parent.amount ? parent.scheduled / parent.amount : 0);
  row.bar.title = `${amount(parent.filled)} done, ${amount(parent.scheduled)} due, ${amount(parent.working)} working`;
  const iv = parent.terms?.limit_iv;
  set(row, "limit", parent.limit > 0 ? price(parent.limit) : known(iv) ? `${number(iv, 1)} %` : "–");
  row.cells_.limit.title = known(iv) ? `never beyond ${number(iv, 2)} % of implied volatility` : "";
  set(row, "average", price(parent.average, digits(parent.average) === 4 ? 1 : 0));
  set(row, "arrival", price(parent.arrival));
  set(row, "shortfall", known(parent.shortfall_ticks) ? `${signed(parent.shortfall_ticks, 1)} t` : "–");
  const live = LIVE.has(parent.state);
  for (const press of row.dials) {
    attr(press, "aria-pressed", press.dataset.dial === parent.dial);
    press.disabled = !live;
  }
  set(row, "part", known(parent.participation) ? percent(parent.participation) : "–");
  set(row, "left", live ? span(parent.end_ms - now()) : hm(parent.end_ms));
  row.cells_.part.title = "our share of what has traded since it began";
  row.cells_.left.title = `ends ${hm(parent.end_ms)}${known(parent.eta_ms) ? `, done about ${hm(parent.eta_ms)} at this pace` : ""}`;
  state(row, parent);
  row.acts.hidden = !live;
  put(row.buttons[0], parent.state === "paused" ? "resume" : "pause");
  for (const press of row.buttons.slice(1)) attr(press, "aria-expanded", drawer.drawerOf(parent.id) === press.dataset.form);
  flag(row, "focus", focus.parent === parent.id);
}

const percentOf = (share) => `${(Math.min(1, Math.max(0, share)) * 100).toFixed(1)}%`;

// Halted by a row or by the venue it still works, but proposes nothing before a time.
function state(row, parent) {
  if (parent.suspended && parent.state === "working") return word(row, "suspended", parent.suspended);
  const rests = parent.state === "working" ? Math.ceil((parent.halted_until_ms - now()) / 1000) : 0;
  if (rests > 0) word(row, "halted", `${rests} s · ${parent.reason}`);
  else if (parent.state === "working" && parent.start_ms > now()) word(row, "waiting", `starts in ${span(parent.start_ms - now())}`);
  else word(row, parent.state, parent.reason);
}

function childRow(row, child) {
  put(row.name, `c${child.id.split("-").at(-1)}`); // its number; the whole label is in the title
  row.name.title = child.id;
  put(row.tail, ` ${child.post_only ? "post" : "take"}${child.parent ? "" : ` · ${child.instrument}`}`);
  side(row, child);
  set(row, "qty", amount(child.amount));
  set(row, "done / schedule", percent(child.filled / child.amount));
  set(row, "limit", price(child.price));
  set(row, "average", price(child.average));
  const place = known(child.ahead) ? `${amount(child.ahead)} ahead of it` : "";
  word(row, child.state, [place, child.reason, child.by].filter(Boolean).join(" · "));
  row.acts.hidden = !RESTING.has(child.state) || child.state === "cancelling";
  row.buttons[0].hidden = child.state !== "open" || !child.post_only;
}

function fillRow(row, one) {
  put(row.name, one.trade);
  const elsewhere = !one.child ? (one.adopted ? ` · adopted by ${one.adopted}` : ` · ${one.instrument}, made elsewhere`) : "";
  put(row.tail, `${one.maker ? " maker" : " taker"}${elsewhere}`);
  if (row.buttons) row.acts.hidden = !one.foreign || !adopter(one);
  set(row, "side", one.side);
  set(row, "qty", amount(one.amount));
  set(row, "average", price(one.price));
  put(row.why, `fee ${number(one.fee, 5)}`);
  put(row.word, millis(one.t_ms));
}

// A fill made elsewhere can be counted towards a running parent of the same instrument and side.
function adopter(one) {
  const fits = views.desk.parents.filter((parent) => LIVE.has(parent.state) && parent.instrument === one.instrument && parent.side === one.side);
  return fits.find((parent) => parent.id === focus.parent) ?? fits[0];
}

const adopt = (row) => ask(row, { do: "adopt", trade: row.item.row.trade, parent: adopter(row.item.row)?.id ?? "" });

function foreignRow(row, one) {
  put(row.name, one.instrument);
  put(row.tail, ` order ${one.order}`);
  side(row, one);
  set(row, "qty", amount(one.amount));
  set(row, "limit", price(one.price));
  put(row.why, one.label ? `labelled ${one.label}` : "sent from elsewhere");
  put(row.word, "not ours");
}

const TONES = { working: "good", open: "good", paused: "warn", halted: "warn", waiting: "warn", suspended: "warn", lapsed: "warn", amending: "warn", expired: "warn", rejected: "bad" };

function word(row, state, reason) {
  put(row.word, state);
  put(row.why, reason);
  row.why.title = reason;
  row.word.dataset.tone = TONES[state] ?? "";
}
