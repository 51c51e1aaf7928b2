// Proposals: the pinned one keeps its place until it is settled; others queue behind it and never take the focus.

import { command } from "./command.js";
import { $, button, el, flag, keyed, put } from "./dom.js";
import { choose, instrument, mark, now, views, when } from "./feed.js";
import { keysOf } from "./forms.js";
import { amount, known, number, percent, signed } from "./format.js";
import { lift } from "./lift.js";

const FAREWELL_MS = 1400; // a settled proposal shows its end so long before the next moves up
const order = []; // ids, oldest first
const REASONS = ["too dear", "too large", "wrong moment"];
const state = new Map(); // id → {row, gone, said, ok, block, pending, editing}
let closed = false; // nothing could be sent

export function start() {
  when(["desk", "status", "link", "instrument"], draw);
  when(["tick"], countdown);
}

function draw() {
  closed = views.status?.mode === "replay" || !views.link.engine;
  const rows = new Map((views.desk?.proposals ?? []).map((row) => [row.id, row]));
  for (const row of rows.values()) {
    if (!state.has(row.id)) {
      order.push(row.id);
      state.set(row.id, {});
      put($("proposals-said"), `proposal: ${title(row)}. ${row.reason}`);
    }
    Object.assign(state.get(row.id), { row, gone: 0 });
  }
  for (const id of [...order]) if (!rows.has(id)) leave(id);
  const shown = order.map((id) => ({ id, ...state.get(id) }));
  put($("proposals-count"), rows.size ? String(rows.size) : "");
  keyed($("proposals"), shown.length ? shown : [{ id: "" }], (one) => one.id, make, fill);
  countdown();
}

// It has left the desk: by our answer, or lapsed. Its card says which for a moment; keys do nothing meanwhile.
function leave(id) {
  const one = state.get(id);
  if (one.gone && performance.now() > one.gone) {
    order.splice(order.indexOf(id), 1);
    state.delete(id);
  } else if (!one.gone) {
    one.gone = performance.now() + FAREWELL_MS;
    one.said ??= one.row.until_ms <= now() + 300 ? "expired: nobody answered, nothing was sent" : "settled";
    setTimeout(() => mark("desk"), FAREWELL_MS + 20);
  }
}

const short = (row) => amount(row.amount);
const price = (row) => number(row.worst, row.digits);
const title = (row) => `${row.side.toUpperCase()} ${short(row)} ${row.cross ? "up to" : "at"} ${price(row)}`;

function make({ id }) {
  if (!id) return el("div", "empty");
  const card = el("article", "proposal");
  card.dataset.proposal = id;
  const p = (card.parts = {
    head: el("div", "line"), title: el("b", "title"), how: el("span", "dim"), left: el("span", "left"), ring: el("i", "ring"),
    chip: el("span", "chip", "hedge"), reason: el("p"), cost: el("div", "cost"), band: el("div", "cost band"), stop: el("div", "stop"),
    name: el("button", "link"), form: el("div", "amend"), buttons: el("div", "buttons"), lift: el("div"), said: el("div", "outcome"),
  });
  p.name.type = "button";
  p.name.addEventListener("click", () => choose(state.get(id).row.instrument));
  p.head.append(p.title, p.chip, p.how, p.left, p.ring);
  for (const [action, label, key] of [["approve", "Approve", "A"], ["edit", "Edit", "E"], ["reject", "Reject", "R"]]) {
    const press = button("", action, () => act(id, action));
    press.dataset.action = action;
    press.append(el("span", "", label), el("kbd", "", key));
    p[action] = press;
    p.buttons.append(press);
  }
  p.why = button("why…", "why-not", () => because(id), "reject it, and say why");
  p.why.dataset.action = "because";
  p.buttons.append(p.why);
  p.form.hidden = true;
  p.said.setAttribute("role", "status");
  p.where = el("div", "line where");
  p.where.append(p.name, (p.how2 = el("span", "dim")));
  card.append(p.head, p.where, p.reason, p.cost, p.band, p.stop, p.form, p.buttons, p.said, p.lift);
  return card;
}

function fill(card, one) {
  if (!one.id) return void put(card, empty());
  const { row, gone, said, ok, pending } = one;
  const p = card.parts;
  put(p.title, title(row));
  flag(p.title, "up", row.side === "buy");
  flag(p.title, "down", row.side === "sell");
  const how = `${row.cross ? "IOC" : "post-only"}${row.mark ? "" : ` · ‘${row.row}’`}`;
  const elsewhere = row.instrument !== instrument(); // then it has a line of its own, beside the name
  put(p.how, elsewhere ? "" : how);
  put(p.how2, elsewhere ? how : "");
  p.chip.hidden = row.mark !== "hedge";
  flag(card, "hedge", row.mark === "hedge");
  put(p.reason, row.reason);
  put(p.name, row.instrument);
  p.where.hidden = !elsewhere;
  put(p.cost, costs(row));
  put(p.band, bandOf(row));
  p.band.title = "a better price never refuses it; a worse one, or its row no longer holding, does";
  put(p.stop, gone ? "" : stopped(row));
  offer(p.lift, gone || one.ok ? "" : one.block || row.block, row.instrument);
  put(p.approve.firstChild, one.editing ? "Approve edit" : "Approve");
  put(p.said, pending ? "pending…" : said ?? "");
  flag(p.said, "good", ok === true);
  flag(p.said, "bad", ok === false);
  flag(card, "pinned", order[0] === one.id);
  flag(card, "gone", gone);
  flag(card, "busy", pending);
  flag(card, "sell", row.side === "sell");
  for (const name of ["approve", "edit", "reject", "why"]) p[name].disabled = Boolean(pending || gone || closed);
}

// What it is expected to cost now, beside waiting and beside what the schedule alone would do.
function costs(row) {
  const said = [];
  if (known(row.cost_ticks)) said.push(`now ${signed(row.cost_ticks, 1)} t${row.cross ? "" : " if filled"}`); // one that rests may never be
  if (known(row.wait_ticks)) said.push(`waiting ${signed(row.wait_ticks, 1)} t`);
  if (known(row.schedule_ticks)) said.push(`schedule ${signed(row.schedule_ticks, 1)} t`);
  if (known(row.up)) said.push(`P(up) ${percent(row.up)}`);
  if (row.viewed) said.push("your view weighed");
  return said.join(" · ");
}

const bandOf = (row) => `${price(row)} or ${row.side === "buy" ? "lower" : "higher"}${row.mark ? "" : `, while ‘${row.row}’ holds`} · rev ${row.revision}`;

// The hard block that would refuse it now.
function stopped(row) {
  if (!row.blocked) return "";
  const lifted = views.desk?.lifts.some((one) => one.block === row.block && one.instrument === row.instrument && one.state === "granted");
  return lifted ? `▲ lifted once: ${row.blocked}` : `■ would be refused: ${row.blocked}`;
}

// A way past a block that can be lifted; it stays while somebody is at it.
function offer(box, block, instrument) {
  const busy = box.querySelector("input, [data-action='grant']");
  if (busy || box.firstChild?.dataset.lift === block) return;
  if (block) box.replaceChildren(lift(block, instrument));
  else if (!box.querySelector(".warn")) box.replaceChildren();
}

function empty() {
  if (!views.link.engine) return "Waiting for the engine.";
  if (views.status?.mode === "replay") return "A replay shows what was proposed; it sends nothing.";
  if (views.status?.killed) return "Killed: nothing is proposed until the desk is armed again.";
  const working = views.desk?.parents.some((parent) => parent.state === "working");
  return working ? "Nothing to decide now. The next intent appears here." : "No parent order is working. Send one above.";
}

function countdown() {
  for (const id of order) {
    const one = state.get(id);
    const p = $("proposals").byKey?.get(id)?.parts;
    if (!p) continue;
    const left = Math.max(0, one.row.until_ms - now());
    put(p.left, one.gone ? "" : `${Math.ceil(left / 1000)} s`);
    p.ring.style.setProperty("--left", `${((left / (one.row.until_ms - one.row.born_ms || 1)) * 100).toFixed(0)}%`);
    p.ring.hidden = Boolean(one.gone);
  }
}

// What the keys do: always to the pinned one, never to one that is being settled.
export function actOnPinned(action) {
  const id = order[0];
  if (id && !state.get(id).gone && !state.get(id).pending) act(id, action);
}

async function act(id, action, reason = "") {
  const one = state.get(id);
  if (!one || one.gone || one.pending || closed) return;
  if (action === "edit") return edit(id);
  const card = $("proposals").byKey.get(id);
  if (action === "approve" && one.editing && Object.values(edited(one)).some(Number.isNaN)) {
    Object.assign(one, { said: "the edit needs a quantity and a worst price", ok: false });
    return mark("desk");
  }
  const verb = action === "approve" ? { do: "approve", proposal: id, revision: one.row.revision, ...edited(one) } : { do: "reject", proposal: id, reason };
  one.pending = true;
  mark("desk");
  const answer = await command(verb);
  Object.assign(one, { pending: false, said: answer.text, ok: answer.ok, block: answer.block });
  if (answer.ok) close(card, one);
  mark("desk");
}

function edit(id) {
  const one = state.get(id);
  const card = $("proposals").byKey.get(id);
  if (one.editing) return close(card, one);
  one.editing = { quantity: input(one.row.amount, one.row.lot), worst: input(Number(one.row.worst.toFixed(one.row.digits)), "any") };
  for (const node of Object.values(one.editing)) {
    node.addEventListener("keydown", (event) => {
      if (event.key === "Enter") act(id, "approve");
      if (event.key === "Escape") close(card, one);
    });
  }
  const { quantity, worst } = one.editing;
  card.parts.form.replaceChildren(el("label", "", "quantity"), quantity, el("label", "", "worst"), worst);
  card.parts.form.hidden = false;
  quantity.select();
}

// Reject it with a reason: one of a few, or in words.
function because(id) {
  const one = state.get(id);
  const card = $("proposals").byKey.get(id);
  if (one.gone || one.pending || closed) return;
  if (one.editing) close(card, one);
  const form = card.parts.form;
  const words = el("input");
  words.placeholder = "why not";
  words.setAttribute("aria-label", "why it is rejected");
  const say = (reason) => act(id, "reject", reason);
  form.replaceChildren(...REASONS.map((reason) => button(reason, "act", () => say(reason))), words, button("reject", "act no", () => say(words.value.trim())));
  form.hidden = false;
  keysOf(words, () => say(words.value.trim()), () => (form.hidden = true));
  words.focus();
}

function input(value, step) {
  const node = el("input");
  node.type = "number";
  node.step = step;
  node.value = value;
  return node;
}

function close(card, one) {
  one.editing = undefined;
  if (card) card.parts.form.hidden = true;
}

function edited(one) {
  if (!one.editing) return {};
  return { quantity: one.editing.quantity.valueAsNumber, worst: one.editing.worst.valueAsNumber };
}
