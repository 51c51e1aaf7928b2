// The blotter: parents ▸ children ▸ fills as a tree; positions; what was decided; what went wrong.

import { notes } from "./decisions.js";
import { $, attr, el, keyed, put } from "./dom.js";
import { drawerOf } from "./drawer.js";
import { mark, views, when } from "./feed.js";
import { COLUMNS, fill, LIVE, make, opened, RESTING } from "./orders.js";
import * as positions from "./positions.js";
import { blank, table } from "./tables.js";

let tab = "orders";
let bodies = {};

export function start() {
  bodies = { orders: table(COLUMNS, "orders"), positions: positions.layout(), decisions: el("div", "notes"), alerts: el("div", "notes") };
  $("blotter").append(...Object.values(bodies));
  $("blotter-tabs").addEventListener("click", (event) => event.target.dataset.tab && turn(event.target.dataset.tab));
  turn(tab);
  when(["desk", "tick"], orders);
  when(["desk", "risk", "hedge"], () => tab === "positions" && positions.draw());
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
    drawer(rows, parent, LIVE.has(parent.state));
    if (shown) for (const child of newest(own)) branch(rows, child, fills);
  }
  if (byHand.length) {
    const shown = opened("by hand", true);
    rows.push({ kind: "hand", id: "by hand", count: byHand.length, more: true, shown });
    if (shown) for (const child of newest(byHand)) branch(rows, child, fills);
  }
  const elsewhere = [...(desk.foreign ?? []).map((row) => ({ kind: "foreign", id: `order ${row.order}`, row })), ...desk.fills.filter((one) => !one.child).map((row) => ({ kind: "fill", id: `fill ${row.trade}`, row }))];
  if (elsewhere.length) {
    const shown = opened("not ours", true);
    rows.push({ kind: "hand", id: "not ours", name: "not ours", count: elsewhere.length, more: true, shown });
    if (shown) rows.push(...elsewhere);
  }
  return rows;
}

const newest = (children) => [...children].sort((a, b) => b.t_ms - a.t_ms);

function drawer(rows, row, live) {
  const form = drawerOf(row.id);
  if (form && live) rows.push({ kind: "drawer", id: `${row.id}/${form}`, row, form });
}

function branch(rows, child, fills) {
  const own = fills.get(child.id) ?? [];
  const shown = own.length > 0 && opened(child.id, false);
  rows.push({ kind: "child", id: child.id, row: child, more: own.length > 0, shown });
  drawer(rows, child, RESTING.has(child.state));
  if (shown) for (const one of own) rows.push({ kind: "fill", id: `${child.id}/${one.trade}`, row: one });
}
