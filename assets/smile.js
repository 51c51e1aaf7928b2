// One expiry's smile: bid–ask whiskers, the fit and how far it may be off, what it was, and what the quotes leave of it below.

import { along, thenAt } from "./abscissa.js";
import * as card from "./card.js";
import { lacking, looksAt, shapeOf } from "./cells.js";
import { FONT, PAD, curve, earlierCurve, frame, note, path, scaleOf, sized, stroke } from "./charts.js";
import { choice } from "./choices.js";
import { $, colour, flag, put } from "./dom.js";
import { choose, picked, views, when } from "./feed.js";
import { expiryDay, known, number } from "./format.js";
import { residuals } from "./residuals.js";
import { line, outside, rows } from "./told.js";

const TALL = 96; // with less there is no room for residuals
const STRIP = { share: 0.34, least: 28, most: 58 }; // of the residuals
const REACH_PX = 14; // of the pointer
const ERRORS = 2; // standard errors that the band shows to either side
let spots = []; // where the quotes of the smile lie, from left to right
let at = ""; // the option that the pointer or the keyboard is at
let earlier = () => undefined;

// `moment`: gives the earlier moment that is chosen, if one is.
export function start(moment) {
  earlier = moment;
  const canvas = $("smile");
  canvas.addEventListener("pointermove", (event) => to(near(event.offsetX)));
  canvas.addEventListener("pointerleave", () => to(undefined));
  canvas.addEventListener("blur", () => to(undefined));
  canvas.addEventListener("click", () => choose(at));
  canvas.addEventListener("keydown", press);
  when(["surface", "instrument"], draw);
}

function near(x) {
  const off = (spot) => Math.abs(spot.x - x);
  return spots.filter((spot) => off(spot) < REACH_PX).sort((a, b) => off(a) - off(b))[0];
}

function to(spot) {
  if ((spot?.instrument ?? "") === at) return;
  at = spot?.instrument ?? "";
  $("smile").style.cursor = at ? "pointer" : "";
  draw();
}

const STEPS = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !spots.length) return;
  if (event.key === "Enter" || event.key === " ") choose(at);
  else if (STEPS[event.key]) step(STEPS[event.key]);
  else return;
  event.preventDefault();
  event.stopPropagation();
}

function step(by) {
  const now = spots.findIndex((spot) => spot.instrument === at);
  const from = now < 0 ? spots.findIndex((spot) => looksAt(spot.instrument)) - by : now;
  to(spots[Math.max(0, Math.min(spots.length - 1, from + by))] ?? spots[0]);
  const spot = spots.find((one) => one.instrument === at);
  if (spot) put($("surface-said"), line(spot.smile, spot.quote));
}

const smileOf = (view, code) => view?.smiles.find((one) => one.code === code);

// Where somebody quotes both sides, and one strike more to either side: what lies beyond is only counted.
export function quotedPart(smile) {
  const ks = smile.points.map((point) => point.strike).sort((a, b) => a - b);
  const quoted = smile.points.filter((point) => known(point.mid_iv)).map((point) => point.strike);
  if (quoted.length < 2) return { ...smile, below: 0, above: 0 };
  const [low, high] = [ks[Math.max(0, ks.indexOf(Math.min(...quoted)) - 1)], ks[Math.min(ks.length - 1, ks.indexOf(Math.max(...quoted)) + 1)]];
  const within = smile.curve_strikes.map((k) => k >= low && k <= high);
  const part = (list) => list.filter((_, i) => within[i]);
  return {
    ...smile,
    points: smile.points.filter((point) => point.strike >= low && point.strike <= high),
    curve_strikes: part(smile.curve_strikes),
    curve_iv: part(smile.curve_iv),
    curve_error: part(smile.curve_error),
    below: ks.filter((k) => k < low).length,
    above: ks.filter((k) => k > high).length,
  };
}

function draw() {
  const whole = smileOf(views.surface, picked.code);
  words(whole);
  const smile = whole && quotedPart(whole);
  const { c, w, h } = sized($("smile"));
  if (!w || !h) return;
  c.clearRect(0, 0, w, h);
  spots = [];
  if (smile) picture(c, w, h, smile);
  const spot = spots.find((one) => one.instrument === at);
  if (spot) card.show("smile", spot.instrument, rows(smile, spot.quote), card.box($("smile"), spot.x, spot.y));
  else card.hide("smile");
}

function picture(c, w, h, smile) {
  const kind = choice.columns === "strike" || along(choice.columns, smile, smile.forward) === null ? "strike" : choice.columns;
  const quotes = smile.points.filter((p) => known(p.bid_iv) || known(p.ask_iv) || known(p.mark_iv));
  const strip = Math.round(Math.min(STRIP.most, Math.max(STRIP.least, h * STRIP.share)));
  const end = h > TALL && shapeOf(smile) && quotes.some((p) => known(p.fit_iv) && known(p.bid_iv ?? p.ask_iv)) ? h - strip : h;
  const before = earlier()?.shapes.find((one) => one.code === smile.code);
  const then = before && shapeOf(smile) ? smile.curve_strikes.map((k) => thenAt(kind, smile, k, before)) : [];
  const scale = scaleOf(kind, [smile], quotes, w, end, then);
  if (!scale) return note(c, w, h, smile.note || "no option of this expiry is quoted yet");
  frame(c, scale, w, end, [smile]);
  beyond(c, w, end - PAD.bottom - 4, smile);
  forward(c, scale, smile, end);
  band(c, scale, smile);
  earlierCurve(c, scale, smile, then, colour("text"));
  for (const quote of quotes) whisker(c, scale, smile, quote, end);
  if (smile.source === "flat") level(c, scale, smile, w);
  else curve(c, scale, smile, colour(smile.source === "quotes" ? "accent" : "warn"), 1.6);
  if (end < h) residuals(c, scale, smile, quotes, { w, top: end, h, chosen: (quote) => looksAt(quote.instrument) });
  spots.sort((a, b) => a.x - b.x);
  if (smile.note) doubt(c, w, smile.note);
}

const NAMES = { marks: "≈ stand-in: the venue's marks", flat: "≈ stand-in: flat", none: "no fit" };

function words(smile) {
  put($("smile-expiry"), smile ? expiryDay(smile.expiry_ms) : "");
  const fitted = smile?.source === "quotes";
  const fit = !smile ? "" : fitted && known(smile.rms_bp) ? `fit ${number(smile.rms_bp, 0)} bp${smile.note ? " ◷" : ""}` : (NAMES[smile.source] ?? "no fit");
  const far = fitted ? smile.points.filter(outside).length : 0;
  put($("smile-fit"), fit + (far ? ` · ▲ outside ${far}` : ""));
  $("smile-fit").title = [fit, far && `the fit lies outside of bid and ask at ${far} strikes`, smile?.note].filter(Boolean).join(" · ");
  flag($("smile-fit"), "warn", smile && !fitted);
}

// Why the curve is not what the quotes say now.
function doubt(c, w, text) {
  c.font = "10.5px system-ui, sans-serif";
  c.textAlign = "right";
  c.fillStyle = colour("warn");
  c.fillText(`▲ ${text}`, w - PAD.right, 9, w - PAD.left - PAD.right);
}

function forward(c, scale, smile, h) {
  if (!(smile.forward > 0)) return;
  const x = Math.round(scale.x(smile.forward, smile)) + 0.5;
  if (!(x > PAD.left)) return;
  c.setLineDash([2, 3]);
  c.lineWidth = 1;
  c.strokeStyle = colour("soft");
  c.globalAlpha = 0.7;
  stroke(c, x, PAD.top, x, h - PAD.bottom);
  c.setLineDash([]);
  c.globalAlpha = 1;
  c.font = "600 10px system-ui, sans-serif";
  c.textAlign = "left";
  c.fillStyle = colour("soft");
  c.fillText("F", x + 3, h - PAD.bottom - 3);
}

// How many strikes nobody quotes lie outside the picture.
function beyond(c, w, y, { below, above }) {
  c.font = FONT;
  c.fillStyle = colour("soft");
  c.textAlign = "left";
  if (below) c.fillText(`‹ ${below} unquoted`, PAD.left + 2, y);
  c.textAlign = "right";
  if (above) c.fillText(`${above} unquoted ›`, w - PAD.right - 2, y);
}

// Two standard errors around the fit: wide where quotes are thin.
function band(c, scale, smile) {
  if (!smile.curve_error.length) return;
  const edge = (sign) => smile.curve_strikes.map((k, i) => [scale.x(k, smile), scale.y(smile.curve_iv[i] + sign * ERRORS * smile.curve_error[i])]);
  path(c, [...edge(1), ...edge(-1).reverse()]);
  c.closePath();
  c.globalAlpha = 0.16;
  c.fillStyle = colour("accent");
  c.fill();
  c.globalAlpha = 1;
}

// A level and no smile: dots across all strikes.
function level(c, scale, smile, w) {
  c.setLineDash([2, 4]);
  c.strokeStyle = colour("warn");
  c.lineWidth = 1.4;
  stroke(c, PAD.left, scale.y(smile.atm_iv), w - PAD.right, scale.y(smile.atm_iv));
  c.setLineDash([]);
}

// Out-of-the-money quotes count, the others stand back. A call is a circle, a put a square; hollow: the venue's mark.
function whisker(c, scale, smile, quote, h) {
  const otm = quote.call === quote.strike >= smile.forward;
  const on = looksAt(quote.instrument);
  const x = scale.x(quote.strike, smile) + (otm ? 0 : quote.call ? 3 : -3);
  const [top, bottom] = [quote.ask_iv, quote.bid_iv].map((iv) => (known(iv) ? scale.y(iv) : null));
  const middle = quote.mid_iv ?? quote.mark_iv;
  c.globalAlpha = on ? 1 : lacking(quote, views.surface.t_ms) && known(quote.mid_iv) ? 0.4 : otm ? 1 : 0.3;
  c.lineWidth = on ? 2 : 1.2;
  c.strokeStyle = c.fillStyle = colour(on ? "text" : "quote");
  if (top !== null && bottom !== null) stroke(c, x, top, x, bottom);
  else if (top !== null) stroke(c, x, top, x, top - 5); // open to the side that nobody quotes
  else if (bottom !== null) stroke(c, x, bottom, x, bottom + 5);
  for (const edge of [top, bottom]) if (edge !== null) stroke(c, x - 2.5, edge, x + 2.5, edge);
  if (known(middle)) dot(c, quote, x, scale.y(middle), on ? 3.2 : 1.9);
  c.globalAlpha = 1;
  spots.push({ x, y: scale.y(middle ?? quote.ask_iv ?? quote.bid_iv), instrument: quote.instrument, quote, smile });
  if (on || quote.instrument === at) tick(c, x, h, on);
}

function dot(c, quote, x, y, r) {
  c.beginPath();
  if (quote.call) c.arc(x, y, r, 0, 7);
  else c.rect(x - r, y - r, 2 * r, 2 * r);
  if (known(quote.mid_iv)) c.fill();
  else c.stroke();
}

// What is looked at, and what the pointer is at, on the foot.
function tick(c, x, h, on) {
  c.fillStyle = colour(on ? "text" : "accent");
  c.fillRect(x - 1, h - PAD.bottom, 2, 5);
}
