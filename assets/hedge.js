// The hedge of the book in one strip: what is held of delta, how far it may stray, what is done about it; and whose it
// is, parent by parent.

import { command } from "./command.js";
import { attr, button, el, flag, keyed, put } from "./dom.js";
import { views } from "./feed.js";
import { keysOf, num } from "./forms.js";
import { known, number, signed } from "./format.js";

const STATES = { off: "○ off", unknown: "◌ not known", inside: "● inside the band", outside: "▲ outside", asked: "▲ asks you", working: "◐ working", blocked: "■ blocked" };
const TONES = { inside: "good", outside: "warn", asked: "warn", working: "warn", blocked: "bad" };
const DIALS = { manual: "ask", semi: "semi", auto: "auto" };
const p = {};

export function layout() {
  const box = (p.box = el("div", "hedge-strip"));
  p.state = el("b", "word");
  p.on = button("", "act", () => ask({ on: !views.hedge.on }));
  p.dials = Object.entries(DIALS).map(([dial, label]) => {
    const one = button(label, "dial", () => ask({ dial }), `hedges of what belongs to no parent: ${label}`);
    one.dataset.hedge = dial;
    return one;
  });
  p.target = num("", "any", "0");
  p.target.setAttribute("aria-label", "target delta, coin");
  keysOf(p.target, () => ask({ target: p.target.valueAsNumber || 0 }), () => p.target.blur());
  p.said = el("span", "words dim");
  p.said.setAttribute("role", "status");
  const [dials, target] = [el("span", "dials"), el("label", "target", "target Δ")];
  dials.append(...p.dials);
  target.append(p.target);
  const line = el("div", "hedge-line");
  line.append(el("span", "cap", "hedge"), p.state, p.on, dials, target, p.said);
  p.band = el("div", "hedge-band");
  p.band.append((p.inner = el("i")), (p.zero = el("u")), (p.dot = el("b")));
  p.words = el("div", "hedge-words");
  p.rows = el("div", "hedge-rows");
  p.advice = el("div", "hedge-words");
  box.append(line, p.band, p.words, p.rows, p.advice);
  return box;
}

async function ask(change) {
  put(p.said, "pending…");
  const answer = await command({ do: "hedge", ...change });
  put(p.said, answer.text);
  flag(p.said, "bad", !answer.ok);
}

export function draw() {
  const one = views.hedge;
  p.box.hidden = !one;
  if (!one) return;
  put(p.state, STATES[one.state] ?? one.state);
  attr(p.state, "data-tone", TONES[one.state] ?? "");
  put(p.on, one.on ? "switch off" : "switch on");
  for (const dial of p.dials) attr(dial, "aria-pressed", dial.dataset.hedge === one.dial);
  if (document.activeElement !== p.target) p.target.value = one.target;
  picture(one);
  const usd = known(one.usd) ? ` = ${signed(one.usd / 1000, 1)} k USD` : "";
  const band = known(one.band) ? ` · band ±${number(one.band, 3)}` : "";
  const waits = one.on && one.waits ? " · ▲ each is asked for until you set hedging: the engine started anew" : "";
  const work = one.working ? ` · on its way ${signed(one.working, 3)}` : "";
  put(p.words, known(one.delta) ? `Δ ${signed(one.delta, 3)} coin${usd} · away ${signed(one.away, 3)}${band}${work}${one.hedged_with ? ` · with ${one.hedged_with}` : ""}${waits}. ${one.why}` : `${one.why}${waits}`);
  put(p.advice, advised(one));
  p.words.title = terms(one) || p.words.textContent;
  keyed(p.rows, one.rows, (row) => row.parent || row.what, owner, (node, row) => {
    const dial = row.dial ? ` · ${row.dial === "manual" ? "ask" : row.dial}` : "";
    put(node, `${row.what}${row.parent ? ` ${row.parent}` : ""}: ${signed(row.delta, 3)} coin${known(row.usd) ? `, ${signed(row.usd / 1000, 1)} k USD` : ""}${dial}`);
  });
}

// The cheapest trades that would bring gamma and vega where they are wanted: advice, nothing is proposed of it.
function advised({ advice }) {
  const legs = advice.legs.map((leg) => `${leg.side} ${number(leg.size, Number.isInteger(leg.size) ? 0 : 1)} ${leg.instrument}`).join(", ");
  if (!legs) return "";
  return `advice: ${legs}, for ${number(advice.cost, 4)} coin; then Γ ${number(advice.gamma, 6)}, vega ${number(advice.vega, 0)}. ${advice.text}`;
}

const owner = () => el("span", "owner");

function terms({ terms: t, band }) {
  if (!t) return "";
  const bp = (share) => `${number(share * 1e4, 2)} bp`;
  return `±${number(band, 3)} coin: friction ${bp(t.friction)} = half spread and fee ${bp(t.half_spread + t.fee)} + fragility ${bp(t.fragility)}; Γ ${number(t.gamma, 6)} a USD${t.capped ? "; held by its cap" : ""}`;
}

// Where the book is against the band around its target.
function picture({ away, band }) {
  p.band.hidden = !known(away) || !known(band);
  if (p.band.hidden) return;
  const scale = Math.max(Math.abs(away), band) * 1.25 || 1;
  const x = (value) => `${(50 + (value / scale) * 50).toFixed(1)}%`;
  p.inner.style.left = x(-band);
  p.inner.style.width = `${((band / scale) * 100).toFixed(1)}%`;
  p.dot.style.left = x(away);
  flag(p.band, "out", Math.abs(away) > band);
}
