// The price ladder: one row a price, sizes as bars, our own orders, the last trades, where fair value and micro-price lie.

import { implied, years } from "./black.js";
import { command, press } from "./command.js";
import { $, attr, button, el, flag, put } from "./dom.js";
import { choose, instrument, mark, now, twin, views, when } from "./feed.js";
import { amount, known, number, percent } from "./format.js";
import { lift } from "./lift.js";
import { fill, quantity } from "./ticket.js";
import { follow, move, prices, recentre, ROW, rowOf, stray, yOf } from "./window.js";

const TRADE_SHOWN_MS = 20_000;
let unit = "coin";
let rows = [];
let height = 0;
let labelled = ""; // what the price column was written for

export function start() {
  const ladder = $("ladder");
  new ResizeObserver(([entry]) => {
    height = entry.contentRect.height;
    mark("ladder");
  }).observe(ladder);
  ladder.addEventListener("click", clicked);
  ladder.addEventListener("wheel", wheeled, { passive: false });
  $("ladder-unit-tabs").addEventListener("click", (event) => {
    const tab = event.target.dataset.tab;
    if (!tab) return;
    unit = tab;
    for (const other of event.currentTarget.children) attr(other, "aria-selected", other.dataset.tab === tab);
    mark("ladder");
  });
  $("flip").addEventListener("click", () => choose(twin(instrument())));
  when(["ladder", "instrument"], draw);
}

export function centre() {
  if (!views.ladder) return;
  recentre(views.ladder);
  mark("ladder");
}

function wheeled(event) {
  if (!views.ladder || !prices.list.length) return;
  event.preventDefault();
  move(event.deltaY < 0 ? 2 : -2, views.ladder);
  stray(views.ladder);
  mark("ladder");
}

function make(count) {
  const ladder = $("ladder");
  ladder.replaceChildren();
  rows = Array.from({ length: count }, () => {
    const node = el("div", "row");
    const row = { node, bid: side("b"), price: el("div", "p"), ask: side("a") };
    node.append(row.bid.cell, row.price, row.ask.cell);
    ladder.append(node);
    return row;
  });
  for (const name of ["fair", "micro"]) {
    const line = el("div", `level level-${name}`);
    line.title = name === "fair" ? "fair price of the surface" : "micro-price";
    line.append(el("i", "", name === "fair" ? "◆" : "µ"));
    ladder.append((rows[name] = line));
  }
  ladder.append((rows.empty = el("div", "empty")));
}

function side(name) {
  const cell = el("div", name);
  const parts = { bar: el("span", "bar"), size: el("span", "size"), print: el("span", "print") };
  const act = el("span", "act", name === "b" ? "buy" : "sell");
  act.dataset.act = name === "b" ? "buy" : "sell";
  const own = el("span", "own");
  cell.append(parts.bar, parts.print, parts.size, own, act);
  return { cell, own, ...parts };
}

function draw() {
  const view = views.ladder;
  if (!height) return;
  const count = Math.max(5, Math.floor(height / ROW));
  if (rows.length !== count) make(count);
  head(view);
  const some = view && (view.bids.length || view.asks.length);
  put(rows.empty, some ? "" : view ? view.stale || "the book is empty" : instrument() ? "waiting for the book" : "no instrument");
  flag($("ladder"), "blank", !some);
  if (view) follow(view, height);
  label(view);
  levels(view);
  owns(view);
  prints(view);
  level("fair", view?.fair);
  level("micro", view?.micro);
}

function head(view) {
  put($("picker-open"), instrument() || "choose an instrument");
  $("flip").hidden = !twin(instrument());
  const facts = [];
  if (view && known(view.fair)) facts.push(`◆ fair ${number(view.fair * view.unit, view.digits + 1)}`);
  if (view && known(view.mark_iv)) facts.push(`${number(view.mark_iv, 1)} %`);
  if (view && known(view.delta)) facts.push(`Δ ${number(view.delta, 2)} (coin ${number(view.coin_delta, 2)})`);
  if (view && view.state !== "open") facts.push(view.state);
  put($("ladder-facts"), facts.join(" · "));
}

function label(view) {
  const bucket = unit === "coin" ? "" : `${Math.round((view?.forward ?? 0) / 5)}|${Math.floor(now() / 10_000)}`;
  const written = `${view?.instrument}|${prices.version}|${unit}|${bucket}`;
  if (written === labelled) return;
  labelled = written;
  const words = wording(view);
  rows.forEach((row, i) => {
    const units = view ? prices.list[i] : undefined;
    const shown = units !== undefined && units > 0;
    put(row.price, shown ? words(units) : "");
    if (shown) attr(row.node, "data-price", (units * view.unit).toFixed(view.digits));
    else row.node.removeAttribute("data-price");
  });
}

function wording(view) {
  if (!view || unit === "coin" || !known(view.forward)) return (units) => number(units * view.unit, view.digits);
  if (unit === "USD") return (units) => number(units * view.unit * (view.contract_label === "USD" ? 1 : view.forward), 0);
  const [, , strike, kind] = view.instrument.split("-");
  const expiry = views.chain?.instruments.find(([name]) => name === view.instrument)?.[2];
  const t = years(expiry ?? 0, now());
  return (units) => {
    const iv = strike && implied(units * view.unit, view.forward, Number(strike), t, kind === "C");
    return iv ? number(iv * 100, 1) : "–";
  };
}

function levels(view) {
  const [bids, asks] = [sizes(view?.bids), sizes(view?.asks)];
  const all = [...bids.values(), ...asks.values()].sort((a, b) => a - b);
  const scale = 1.15 * (all[Math.floor(all.length * 0.92)] || 1); // one giant must not flatten the rest
  const [bid, ask] = [view?.bids[0]?.[0], view?.asks[0]?.[0]];
  rows.forEach((row, i) => {
    const units = prices.list[i];
    size(row.bid, bids.get(i), scale);
    size(row.ask, asks.get(i), scale);
    flag(row.node, "best-bid", units === bid);
    flag(row.node, "best-ask", units === ask);
    flag(row.node, "inside", bid !== undefined && ask !== undefined && units > bid && units < ask);
  });
}

function sizes(side = []) {
  const found = new Map();
  for (const [units, contracts] of side) {
    const row = rowOf(units);
    if (row >= 0) found.set(row, contracts);
  }
  return found;
}

function size(cell, contracts, scale) {
  put(cell.size, contracts === undefined ? "" : amount(contracts));
  const width = contracts === undefined ? 0 : Math.min(100, Math.max(1.5, (contracts / scale) * 100));
  cell.bar.style.width = `${width.toFixed(1)}%`;
}

function owns(view) {
  const found = new Map();
  for (const order of view?.own ?? []) {
    const key = `${order.side}:${rowOf(order.units)}`;
    const old = found.get(key);
    found.set(key, { left: (old?.left ?? 0) + order.remaining, child: order.child, state: order.state });
  }
  rows.forEach((row, i) => {
    chip(row.bid.own, found.get(`buy:${i}`));
    chip(row.ask.own, found.get(`sell:${i}`));
  });
}

function chip(node, order) {
  put(node, order ? amount(order.left) : "");
  node.dataset.child = order?.child ?? "";
  node.title = order ? `our order ${order.child}, ${order.state}; click to cancel it` : "";
}

function prints(view) {
  const latest = new Map();
  for (const [ms, units, contracts, aggressor] of view?.trades ?? []) {
    const age = view.t_ms - ms;
    if (age < TRADE_SHOWN_MS) latest.set(rowOf(units), { age, contracts, buy: aggressor === "buy" });
  }
  rows.forEach((row, i) => {
    const trade = latest.get(i);
    print(row.bid, trade?.buy ? trade : undefined, "▲");
    print(row.ask, trade && !trade.buy ? trade : undefined, "▼");
  });
}

// A buyer's print stands on the bid side of an ask row, where there is room, and the other way round.
function print(cell, trade, arrow) {
  put(cell.print, trade && !cell.size.said ? `${amount(trade.contracts)} ${arrow}` : "");
  cell.print.style.opacity = trade ? (1 - (0.75 * trade.age) / TRADE_SHOWN_MS).toFixed(2) : "";
}

function level(name, units) {
  const y = known(units) ? yOf(units) : null;
  rows[name].hidden = y === null;
  if (y !== null) rows[name].style.transform = `translateY(${y.toFixed(1)}px)`;
}

function clicked(event) {
  const view = views.ladder;
  const row = event.target.closest(".row");
  const price = row?.dataset.price;
  if (!view || !price) return;
  const child = event.target.dataset.child;
  if (child) return void press(event.target, { do: "cancel", child }, say);
  const act = event.target.dataset.act;
  if (act) return confirm(view, act, Number(price));
  const cell = event.target.closest(".b, .a");
  fill({ limit: Number(price), side: !cell ? undefined : cell.classList.contains("b") ? "buy" : "sell" });
}

// One order by hand: what, where and how, once more in words, before it goes.
function confirm(view, act, price) {
  const strip = $("confirm");
  const contracts = quantity();
  const units = Math.round(price / view.unit);
  const takes = act === "buy" ? units >= view.asks[0]?.[0] : units <= view.bids[0]?.[0];
  const words = el("span", act === "buy" ? "up" : "down");
  const close = () => {
    strip.hidden = true;
  };
  strip.replaceChildren(words);
  strip.hidden = false;
  if (!(contracts > 0)) {
    put(words, "The ticket has no quantity: fill it in first.");
    strip.append(button("close", "quiet last", close));
    return;
  }
  const how = takes ? "immediate or cancel" : "post-only";
  put(words, `${act.toUpperCase()} ${amount(contracts)} at ${number(price, view.digits)}`);
  const verb = { do: "order", instrument: view.instrument, side: act, quantity: contracts, price, post_only: !takes };
  const send = button("Send", "yes", async () => {
    const answer = await press(send, verb);
    strip.replaceChildren(el("span", answer.ok ? "good" : "bad", answer.text), button("close", "quiet last", close));
    if (answer.block) strip.lastChild.before(lift(answer.block, view.instrument)); // and then Send again, from the ladder
    else setTimeout(close, answer.ok ? 2000 : 8000);
  });
  strip.append(el("span", "dim", how), send, button("Cancel", "quiet", close));
  send.focus();
}

function say(answer) {
  const strip = $("confirm");
  if (answer.ok) return;
  strip.replaceChildren(el("span", "bad", answer.text), button("close", "quiet last", () => (strip.hidden = true)));
  strip.hidden = false;
}
