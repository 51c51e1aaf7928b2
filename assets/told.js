// What is said of one option of the surface: on the card, and to a reader without eyes.

import { lacking, shapeOf } from "./cells.js";
import { now } from "./feed.js";
import { clock, known, number, signed, span } from "./format.js";
import { deltaAt } from "./svi.js";

const ERRORS = 2;
const WORTH = { quotes: "", marks: " (venue's marks)", flat: " (flat stand-in)" };

// Rows of the card: the quote, the fit, what is between them, how old it all is. `cell`: where a picture shows more than the quote.
export function rows(smile, point, cell, earlier) {
  const said = [["bid · mid · ask", [point.bid_iv, point.mid_iv, point.ask_iv].map((iv) => number(iv, 1)).join(" · ") + " %"]];
  const off = errorAt(smile, point.strike);
  const give = known(off) ? ` ±${number(ERRORS * off, 2)}` : "";
  const fit = known(point.fit_iv) ? `${number(point.fit_iv, 2)} %${give}${WORTH[smile.source] ?? ""}` : "unknown";
  said.push(["fit", fit, smile.source === "quotes" ? "" : "warn"]);
  const [gap, out] = [gapOf(point), outside(point)];
  if (known(gap)) said.push(["mid − fit", `${signed(gap, 2)} pts${out ? ` ▲ fit ${out}` : ""}`, out && "warn"]);
  if (known(point.mark_iv)) said.push(["mark", `${number(point.mark_iv, 1)} %`]);
  const shape = shapeOf(smile);
  const delta = shape && deltaAt(shape, Math.log(point.strike / shape.forward)) - (point.call ? 0 : 1);
  if (smile.forward > 0) said.push(["K÷F", `${number(point.strike / smile.forward, 3)}${known(delta) ? ` · Δ ${signed(delta, 2)}` : ""}`]);
  if (cell && known(cell.change)) said.push([`since ${clock(earlier.t_ms)}`, `${number(cell.then, 2)} → ${number(cell.fit, 2)} %: ${signed(cell.change, 2)} pts`]);
  const why = lacking(point, now());
  said.push(["told", `${age(point)}${why ? ` · ▲ ${why}` : ""}`, why && "warn"]);
  return said;
}

// One line of the same, for a cell's label.
export function line(smile, point, cell) {
  const value = cell && known(cell.iv) && cell.quality !== "quoted" ? `fit ${number(cell.iv, 1)} %, ${cell.why}` : `mid ${number(point.mid_iv, 1)} %`;
  return `${point.instrument}: bid ${number(point.bid_iv, 1)}, ${value}, ask ${number(point.ask_iv, 1)}, mid less fit ${signed(gapOf(point), 2)}`;
}

const gapOf = (point) => (known(point.mid_iv) && known(point.fit_iv) ? point.mid_iv - point.fit_iv : null);

function age(point) {
  if (!known(point.t_ms)) return "never";
  const ms = Math.max(0, now() - point.t_ms);
  return ms < 60_000 ? `${number(ms / 1000, 1)} s ago` : `${span(ms)} ago`;
}

// Where the fit lies when it lies outside of bid and ask; a book that is shut says nothing.
export function outside(point) {
  if (!known(point.fit_iv) || (point.state && point.state !== "open")) return "";
  if (known(point.ask_iv) && point.fit_iv > point.ask_iv) return "over the offer";
  return known(point.bid_iv) && point.fit_iv < point.bid_iv ? "under the bid" : "";
}

// The fit's standard error at a strike, as the view's curve has it; null where nothing is known of it.
function errorAt(smile, k) {
  const { curve_strikes: ks, curve_error: errors } = smile;
  const i = errors.length ? ks.findIndex((one) => one >= k) : -1;
  if (i < 0) return null;
  if (i === 0) return errors[0];
  const share = Math.log(k / ks[i - 1]) / Math.log(ks[i] / ks[i - 1]);
  return errors[i - 1] + (errors[i] - errors[i - 1]) * share;
}
