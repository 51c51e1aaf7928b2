// The top bar: which venue, how fresh, how good the model, how much is at risk. And the kill switch.

import { command } from "./command.js";
import { $, attr, flag, put } from "./dom.js";
import { now, views, when } from "./feed.js";
import { known, number, percent, signed, span } from "./format.js";
import { go } from "./route.js";

const GLYPHS = { live: "●", stale: "◐", down: "○" };
const SKILL_WORDS = { edge: "edge", "no edge": "no edge", "unknown yet": "unproven", drift: "drift" };

export function start() {
  $("kill").addEventListener("pointerdown", kill);
  $("kill").addEventListener("click", kill); // keyboard, and drivers without a pointer
  const figure = $("top-model");
  for (const [name, value] of Object.entries({ role: "link", tabindex: 0, title: "the Model page" })) attr(figure, name, value);
  figure.addEventListener("click", () => go("/model"));
  figure.addEventListener("keydown", (event) => event.key === "Enter" && go("/model"));
  when(["status", "link"], draw);
  when(["status", "tick"], () => {
    const due = views.status?.next_expiry_ms;
    value("top-expiry", known(due) ? span(due - now()) : "–");
  });
}

function value(id, text, tone = "") {
  const node = $(id).lastChild;
  put(node, text);
  attr(node, "class", `val ${tone}`.trim());
}

const toneOf = (number) => (!known(number) || number === 0 ? "" : number > 0 ? "good" : "bad");

function draw() {
  const { status, link } = views;
  badge(status);
  const feed = !link.page || !link.engine ? "down" : (status?.feed ?? "down");
  attr($("feed-badge"), "data-feed", feed);
  value("feed-badge", `${GLYPHS[feed]} ${feed}${feed === "live" && known(status.lag_ms) ? ` ${number(status.lag_ms)} ms` : ""}`);
  if (!status) return;
  put($("top-model").firstChild, status.model ? `model ${status.model}` : "no model");
  value("top-model", skill(status.skill), status.skill.verdict === "edge" ? "good" : "");
  value("top-credits", percent(status.credits));
  $("top-credits").title = messages(status);
  value("top-margin", percent(status.margin));
  value("top-delta", `${signed(status.delta_coin, 2)} / ${money(status.delta_usd)}`);
  value("top-gamma", signed(status.gamma, 2));
  value("top-vega", signed(status.vega, 0));
  value("top-pnl", known(status.pnl) ? `${signed(status.pnl, 4)} BTC` : "–", toneOf(status.pnl));
  $("kill").disabled = status.mode === "replay"; // it has no orders and no way to a venue
  flag($("kill"), "killed", status.killed);
  put($("kill"), status.killed ? "KILLED" : "KILL");
}

function badge(status) {
  const mode = status?.mode ?? "–";
  put($("mode-badge"), mode.toUpperCase());
  attr($("mode-badge"), "data-mode", mode);
  document.title = mode === "–" ? "Tidegate" : `Tidegate · ${mode}`;
}

function skill(one) {
  const gain = known(one.gain) ? ` ${signed(one.gain, 3)}` : "";
  return `${SKILL_WORDS[one.verdict]}${gain}`;
}

// What the venue still takes, and how much it was sent for what was filled: it watches the ratio.
function messages({ orders_left: left, orders_burst: burst, orders_today: today, orders_per_contract: ratio }) {
  const takes = known(left) ? `it takes ${number(Math.floor(left))} of ${number(burst)} orders at once now · ` : "";
  return `${takes}${number(today)} orders and amends today${known(ratio) ? `, ${number(ratio, 1)} for each contract filled` : ""}`;
}

function money(usd) {
  if (!known(usd)) return "–";
  return Math.abs(usd) >= 1e6 ? `${signed(usd / 1e6, 2)} M` : `${signed(usd / 1e3, 0)} k`;
}

let killing = false;

// On the press, without a question. A second press while the first is under way is the same press.
async function kill() {
  if (killing) return;
  killing = true;
  alarm("kill: pending…", "bad");
  const answer = await command({ do: "kill" });
  alarm(answer.text, answer.ok ? "" : "bad");
  setTimeout(() => (killing = false), 400);
  setTimeout(() => alarm("", ""), 8000);
}

function alarm(text, tone) {
  put($("alarm"), text);
  flag($("alarm"), "bad", tone === "bad");
}
