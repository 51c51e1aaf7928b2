// The gauges: what is forecast of this instrument, how sure, and whether such forecasts have been worth anything.

import { $, attr, el, flag, put } from "./dom.js";
import { instrument, views, when } from "./feed.js";
import { known, number, percent, signed } from "./format.js";

const TEN = 3; // index of 10 contracts in SIZES
const STANDS_MS = 15_000;
const LATER = [10, 60]; // seconds, horizons of the direction beside the first
const VERDICTS = { edge: "edge", "no edge": "no edge", "unknown yet": "unproven", drift: "drift" };
const STRANGE = "unlike training"; // in place of a verdict: whatever such forecasts were worth, this one is not of them

export function start() {
  for (const card of $("gauges").children) {
    card.parts = {};
    for (const node of card.querySelectorAll("[class]")) card.parts[node.classList[0]] ??= node;
    card.parts.mark = card.querySelector("u");
  }
  const words = $("gauge-direction").parts["tri-words"];
  words.append(el("span", "up"), el("span", "mid"), el("span", "down"));
  $("gauge-direction").parts.later.append(...LATER.map(() => el("span")));
  $("gauge-direction").parts.why.addEventListener("click", ask);
  when(["gauges", "instrument"], draw);
}

let reasons = { of: "", text: "", until: 0 };

// What moves the forecast is asked for, told once, and stands for a while: it is of the moment of asking.
async function ask() {
  const of = instrument();
  const answer = await fetch(`/why?instrument=${encodeURIComponent(of)}`).then((said) => said.json(), () => null);
  reasons = { of, text: answer?.text ?? "the desk does not answer", until: performance.now() + STANDS_MS };
  draw();
}

function draw() {
  const view = views.gauges;
  const forecast = view?.forecast ?? null;
  const option = /-[CP]$/.test(instrument());
  direction(view, forecast);
  slippage(view, forecast);
  impact(view, forecast);
  fillChance(view, forecast);
  volatility(view, option ? forecast : null);
  spread(view, forecast);
  fragility(view);
}

// Shared by all cards: how much to believe it, in words and looks.
function trust(card, view, head, empty) {
  const skill = view?.skill[head];
  const strange = view?.forecast?.familiar === false;
  const verdict = strange ? "drift" : skill?.verdict ?? "unknown yet";
  const warming = Boolean(view) && view.warm < 1;
  const badge = card.parts.verdict;
  put(badge, warming ? `warming ${Math.round(view.warm * 100)} %` : empty ? "" : strange ? STRANGE : VERDICTS[verdict]);
  attr(badge, "data-verdict", warming ? "warming" : verdict);
  badge.title = known(skill?.gain)
    ? `gain over the baseline ${signed(skill.gain, 3)} (${signed(skill.lo, 3)} to ${signed(skill.hi, 3)}), ${skill.n} forecasts`
    : "not enough forecasts to judge";
  flag(card, "warming", warming);
  flag(card, "none", !warming && (empty || verdict === "no edge" || verdict === "drift"));
}

function direction(view, forecast) {
  const card = $("gauge-direction");
  trust(card, view, "direction", !forecast);
  const shares = { up: forecast?.up ?? 0, stable: forecast?.stable ?? 0, down: forecast?.down ?? 0 };
  for (const [name, share] of Object.entries(shares)) {
    const bar = $(`gauge-${name}`);
    bar.style.flexGrow = forecast ? Math.max(0.001, share).toFixed(3) : 1;
    meter(bar, forecast ? share * 100 : null, 0, `${name} ${percent(share)}`);
  }
  const [up, mid, down] = card.parts["tri-words"].children;
  put(up, forecast ? `up ${percent(shares.up)}` : "up –");
  put(mid, forecast ? percent(shares.stable) : "–");
  put(down, forecast ? `${percent(shares.down)} down` : "– down");
  later(card.parts.later.children, view, forecast);
  const parts = [];
  if (known(view?.underlying_ticks)) parts.push(`underlying ${signed(view.underlying_ticks, 1)}`);
  if (known(view?.own_ticks)) parts.push(`own ${signed(view.own_ticks, 1)} tick`);
  put(card.parts.sources, parts.join(" · "));
  const why = reasons.of === instrument() && performance.now() < reasons.until ? reasons.text : "";
  put(card.parts.sub, why || view?.note || directionSays(view));
  card.parts.sub.title = why || (view?.note ?? "");
  flag(card.parts.sub, "warn", !why && view?.note);
  flag(card, "doubt", view?.note);
}

// The longer horizons, each greyed while its own forecasts have not been worth anything; the one the policy reads is marked.
function later(nodes, view, forecast) {
  for (const [k, seconds] of LATER.entries()) {
    const odds = forecast?.later.find((each) => each.seconds === seconds);
    const verdict = view?.skill[`direction_${seconds}`]?.verdict ?? "unknown yet";
    const stable = view?.later_thresholds_ticks[`direction_${seconds}`];
    const read = view?.direction_s === seconds ? "●" : "";
    put(nodes[k], odds ? `${read}${seconds} s ▲${number(100 * odds.up, 0)} ▼${number(100 * odds.down, 0)} %` : `${seconds} s –`);
    nodes[k].title = `${VERDICTS[verdict]}${known(stable) ? `; stable < ${number(stable, 2)} ticks` : ""}`;
    flag(nodes[k], "dim", !odds || verdict !== "edge" || !forecast.warm || !forecast.familiar);
  }
}

function directionSays(view) {
  if (!view) return instrument() ? "waiting for the engine" : "";
  const said = [];
  if (known(view.thresholds.p_against)) said.push(`crosses over ${percent(view.thresholds.p_against)}`);
  if (known(view.firing.up)) said.push(`fires ${percent(view.firing.up)}${silent("up")}`);
  if (known(view.move_threshold_ticks)) said.push(`stable < ${number(view.move_threshold_ticks, 2)} t`);
  return said.join(" · ");
}

const silent = (name) => (views.skill?.rows.find((row) => row.name === name)?.flag ? ", says nothing" : "");

function slippage(view, forecast) {
  const side = chosenSide();
  const curve = forecast && (side === "sell" ? forecast.slip_sell : forecast.slip_buy);
  const [low, middle, high] = curve?.[TEN] ?? [];
  const threshold = view?.thresholds.slippage_10_ticks;
  const sub = known(threshold) ? `${side === "sell" ? "selling" : "buying"} · cap > ${number(threshold, 0)}` : "";
  card("gauge-slippage", view, "slippage", { value: middle, digits: 1, band: range(low, high, 1), unit: "t", low, high, top: 8, threshold, sub });
}

function impact(view, forecast) {
  const value = forecast && (chosenSide() === "sell" ? forecast.impact_sell : forecast.impact_buy);
  card("gauge-impact", view, "impact", { value, digits: 2, unit: "t", top: 3, sub: "after 5 s" });
}

function fillChance(view, forecast) {
  const side = chosenSide();
  const value = forecast && 100 * (side === "sell" ? forecast.fill_ask : forecast.fill_bid);
  card("gauge-fill", view, "fill", { value, digits: 0, unit: "%", top: 100, sub: side === "sell" ? "at the ask" : "at the bid" });
}

function volatility(view, forecast) {
  const [low, middle, high] = forecast?.iv_move ?? [];
  const threshold = view?.thresholds.iv_move_against_pct;
  const sub = known(threshold) ? `halts at ${signed(threshold, 0)} %` : "";
  card("gauge-volatility", view, "volatility", { value: middle, digits: 1, sign: true, unit: "%", band: range(low, high, 1), low, high, top: 4, bottom: -4, threshold, sub });
}

function spread(view, forecast) {
  const depth = forecast ? `depth ${number(forecast.depth, 0)}` : "";
  card("gauge-spread", view, "spread", { value: forecast?.spread_ticks, digits: 1, unit: "t", top: 8, sub: depth });
}

function fragility(view) {
  const node = $("gauge-fragility");
  const value = view?.fragility;
  card("gauge-fragility", view, "fragility", {
    value, digits: 2, top: 1, sub: known(view?.fragility_ofi) ? `flow ${signed(view.fragility_ofi, 2)}` : "",
  });
  put(node.parts.verdict, known(value) ? (value > 0.7 ? "fragile" : value > 0.35 ? "thin" : "firm") : "");
  attr(node.parts.verdict, "data-verdict", "plain");
  flag(node, "none", !known(value));
  flag(node, "heavy", value > 0.7);
}

const range = (low, high, digits) => (known(low) && known(high) ? `${number(low, digits)}…${number(high, digits)}` : "");

export const chosenSide = () => (document.querySelector("#ticket-side input:checked")?.value === "sell" ? "sell" : "buy");

function card(id, view, head, { value, digits, unit = "", sign, band = "", low, high, top, bottom = 0, threshold, sub = "" }) {
  const node = $(id);
  const parts = node.parts;
  trust(node, view, head, !known(value));
  const text = (sign ? signed : number)(value, digits);
  put(parts.big, known(value) ? `${text} ${unit}`.trim() : "–");
  put(parts.band, band);
  put(parts.sub, sub);
  const at = (v) => `${Math.min(100, Math.max(0, ((v - bottom) / (top - bottom)) * 100)).toFixed(1)}%`;
  const zero = Math.max(bottom, 0);
  place(parts.fill, known(value) ? [Math.min(value, zero), Math.max(value, zero)] : null, at);
  place(parts.span, known(low) && known(high) ? [low, high] : null, at);
  parts.mark.hidden = !known(threshold);
  if (known(threshold)) parts.mark.style.left = at(threshold);
  meter(node, value, digits, known(value) ? `${text} ${unit}, ${view.skill[head] ? parts.verdict.textContent : ""}` : "no forecast");
}

function place(node, between, at) {
  node.hidden = !between;
  if (!between) return;
  node.style.left = at(between[0]);
  node.style.width = `calc(${at(between[1])} - ${at(between[0])})`;
}

function meter(node, value, digits, text) {
  if (known(value)) attr(node, "aria-valuenow", value.toFixed(digits));
  attr(node, "aria-valuetext", text);
}
