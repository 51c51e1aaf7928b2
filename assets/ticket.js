// The parent ticket: filled by clicks elsewhere, priced before it is sent, sent as one command.

import { implied, premium, years } from "./black.js";
import { command } from "./command.js";
import { $, attr, flag, put } from "./dom.js";
import { estimate, forget } from "./estimate.js";
import { instrument, now, views, when } from "./feed.js";
import { amount, known, number } from "./format.js";
import { tickAt } from "./window.js";

const NAMES = ["side", "quantity", "limit", "limit_iv", "minutes", "algorithm", "urgency", "dial", "auto_limit", "hedge", "start_minutes", "baseline", "participation", "rate", "min_child", "max_child", "would", "random_time", "random_size", "leave"];
const SHARES = ["participation", "rate", "random_time", "random_size"]; // typed in per cent
const OPTIONAL = ["limit_iv", "start_minutes", ...SHARES, "min_child", "max_child", "would"]; // left out while empty
let fields = { side: "buy", minutes: 10, algorithm: "adaptive", urgency: 5, dial: "manual", auto_limit: 3, hedge: "manual", baseline: "twap", leave: "pull" };
let sending = false;
let sent = false; // since the last change

export function start() {
  when(["ladder", "instrument"], draw);
  when(["instrument"], () => {
    fill({ limit: null });
    window.dash_clientside?.set_props?.("ticket-limit-iv", { value: null });
  });
  when(["status", "link"], () => {
    $("ticket-send").disabled = sending || Boolean(reason());
    $("ticket-send").title = reason();
  });
  $("ticket-more").addEventListener("click", () => sheet($("ticket-sheet").hidden));
  $("ticket-more-close").addEventListener("click", () => sheet(false));
  $("ticket-sheet").addEventListener("keydown", (event) => event.key === "Escape" && sheet(false));
}

// What most orders leave as it is, on a sheet beside the ticket.
function sheet(open) {
  show(open);
  $(open ? "ticket-start-minutes" : "ticket-more").focus();
}

function reason() {
  if (!views.link.engine) return "the engine does not answer";
  if (views.status?.mode === "replay") return "a replay sends nothing";
  return views.status?.killed ? "killed: re-arm first" : "";
}

export const quantity = () => Number(fields.quantity) || 0;

export function fill({ limit, side }) {
  const set = window.dash_clientside?.set_props;
  if (!set) return;
  if (limit !== undefined) set("ticket-limit", { value: limit });
  if (side) set("ticket-side", { value: side });
}

// Called by Dash whenever a field changes, with all of them in order.
export function changed(...values) {
  fields = Object.fromEntries(NAMES.map((name, i) => [name, values[i]]));
  sent = false;
  flag($("ticket"), "selling", fields.side === "sell");
  flag($("ticket"), "semi", fields.dial === "semi");
  put($("ticket-outcome"), "");
  const told = more();
  put($("ticket-more"), told.length ? `more · ${told.length} set` : "more");
  $("ticket-more").title = told.join(", ") || "start, volume cap, child sizes, I-would price, randomisation";
  draw();
}

// What is set on the sheet, in words.
function more() {
  const told = OPTIONAL.filter((name) => name !== "limit_iv" && known(fields[name])).map((name) => `${name.replace("_", " ")} ${fields[name]}`);
  if (fields.baseline !== "twap") told.push(`on ${fields.baseline.toUpperCase()}`);
  if (fields.leave === "leave") told.push("children are left when it is stopped");
  return told;
}

// The order as it stands in the ticket, as the engine takes it.
export function order() {
  const said = { do: "submit", instrument: instrument(), ...fields, leave: fields.leave === "leave" };
  for (const name of OPTIONAL) {
    if (!known(said[name])) delete said[name];
    else if (SHARES.includes(name)) said[name] /= 100;
  }
  if (!known(said.limit) && known(said.limit_iv)) delete said.limit;
  return said;
}

// Called by Dash when the button is pressed.
export async function submit(_, ...values) {
  if (sending) return;
  changed(...values);
  sending = true;
  const send = $("ticket-send");
  send.disabled = true;
  outcome("pending…", "");
  const answer = await command(order());
  sending = false;
  send.disabled = Boolean(reason());
  outcome(answer.text, answer.ok ? "good" : "bad");
  sent = answer.ok;
  if (sent) show(false);
  draw();
}

function show(open) {
  $("ticket-sheet").hidden = !open;
  attr($("ticket-more"), "aria-expanded", open);
}

function outcome(text, tone) {
  const node = $("ticket-outcome");
  put(node, text);
  node.title = text;
  flag(node, "good", tone === "good");
  flag(node, "bad", tone === "bad");
}

function draw() {
  put($("ticket-instrument"), instrument());
  put($("ticket-estimate"), said());
  const view = views.ladder;
  if (sent || !view || !(quantity() > 0)) return forget();
  const far = (fields.side === "buy" ? view.asks : view.bids)[0]?.[0]; // no limit yet: the estimate does not need it
  const limit = fields.limit ?? (known(fields.limit_iv) ? undefined : far ? Number((far * view.unit).toFixed(view.digits)) : null);
  estimate({ ...order(), limit }, fields.algorithm);
}

// What the limit is in volatility, and what taking it all now would do in the book as it stands.
function said() {
  const view = views.ladder;
  if (!view || !fields.side) return "";
  const [volatility, price] = [limitIv(view), limitPrice(view)];
  const limits = [volatility ? `limit ${number(volatility * 100, 1)} %` : "", known(price) ? `IV limit now ${number(price, view.digits + 1)}` : ""];
  return [...limits, atOnce(view)].filter(Boolean).join(" · ");
}

function atOnce(view) {
  const wanted = quantity();
  const buys = fields.side === "buy";
  const levels = buys ? view.asks : view.bids;
  if (!wanted || !levels.length) return "";
  const touch = levels[0][0];
  const tick = tickAt(touch, view.steps);
  const limit = fields.limit ? Math.round(Number(fields.limit) / view.unit) : null;
  const inside = limit === null ? levels : levels.filter(([units]) => (buys ? units <= limit : units >= limit));
  if (!inside.length) return `${number(Math.abs(touch - limit) / tick, 0)} ticks short of the ${buys ? "ask" : "bid"}`;
  const { filled, average } = walk(inside, wanted);
  if (filled < wanted) return `${amount(filled)} of ${amount(wanted)} could be had at once`;
  return `at once ${number(average * view.unit, view.digits + 1)}, ${number(Math.abs(average - touch) / tick, 1)} t past the touch`;
}

function walk(levels, wanted) {
  let [filled, paid] = [0, 0];
  for (const [units, contracts] of levels) {
    const take = Math.min(contracts, wanted - filled);
    filled += take;
    paid += take * units;
    if (filled >= wanted) break;
  }
  return { filled, average: paid / filled };
}

// Forward, strike, years and kind of an option; null for what is none.
function option(view) {
  const [, , strike, kind] = view.instrument.split("-");
  const expiry = views.chain?.instruments.find(([name]) => name === view.instrument)?.[2];
  if (!strike || !expiry || !known(view.forward)) return null;
  return [view.forward, Number(strike), years(expiry, now()), kind === "C"];
}

function limitIv(view) {
  const one = fields.limit && option(view);
  return one ? implied(Number(fields.limit), ...one) : null;
}

// What a limit in volatility is at the present forward, before it is rounded to a tick.
function limitPrice(view) {
  const one = fields.limit_iv && option(view);
  return one ? premium(one[0], one[1], one[2], Number(fields.limit_iv) / 100, one[3]) : null;
}
