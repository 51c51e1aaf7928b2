// Smiles as lines: bid–ask whiskers and the fit of one expiry; all expiries together; the term structure.

import { $, colour, put, surfaceOf } from "./dom.js";
import { choose, instrument, mark, picked, twin, views, when } from "./feed.js";
import { expiryDay, known, number, signed, strike } from "./format.js";

const PAD = { left: 28, right: 8, top: 8, bottom: 16 };
const sizes = new WeakMap();
let hover = null;
let spots = []; // where the quotes of the smile lie, for the pointer

export function start() {
  const canvas = $("smile");
  canvas.addEventListener("pointermove", (event) => point(event));
  canvas.addEventListener("pointerleave", () => point(null));
  canvas.addEventListener("click", () => hover && choose(hover.instrument));
  when(["surface", "instrument"], draw);
}

function point(event) {
  const near = event && spots.filter((spot) => Math.abs(spot.x - event.offsetX) < 14);
  const best = near?.sort((a, b) => Math.abs(a.x - event.offsetX) - Math.abs(b.x - event.offsetX))[0] ?? null;
  if (best?.instrument === hover?.instrument) return;
  hover = best;
  $("smile").style.cursor = hover ? "pointer" : "";
  draw();
}

function sized(canvas) {
  if (!sizes.has(canvas)) sizes.set(canvas, surfaceOf(canvas, () => mark("surface")));
  return sizes.get(canvas)();
}

function draw() {
  const view = views.surface;
  const smile = view?.smiles.find((one) => one.code === picked.code);
  words(view, smile);
  const { c, w, h } = sized($("smile"));
  if (!w || !h) return;
  c.clearRect(0, 0, w, h);
  spots = [];
  if (!smile) return;
  const quotes = smile.points.filter((p) => known(p.bid_iv) || known(p.ask_iv) || known(p.mark_iv));
  const scale = scaleOf([smile], quotes, w, h);
  if (!scale) return;
  frame(c, scale, w, h, [smile]);
  forward(c, scale, smile, h);
  for (const quote of quotes) whisker(c, scale, smile, quote, h);
  curve(c, scale, smile, colour("accent"), 1.6);
  if (hover) tip(c, w, smile);
}

function words(view, smile) {
  put($("smile-expiry"), smile ? expiryDay(smile.expiry_ms) : "");
  const fit = smile && [known(smile.rms_bp) ? `fit ${number(smile.rms_bp, 0)} bp` : "no fit yet", smile.note].filter(Boolean);
  put($("smile-fit"), fit ? fit.join(" · ") : "");
  const foot = $("surface-foot");
  if (!foot.parts) {
    foot.parts = ["level", "skew", "forward", "flags"].map((name) => {
      const part = document.createElement("span");
      part.className = name;
      foot.append(part);
      return part;
    });
  }
  const [level, skew, ahead, flags] = foot.parts;
  put(level, smile ? `level ${number(smile.atm_iv, 1)}` : "");
  put(skew, smile ? `skew ${signed(smile.skew, 1)}` : "");
  put(ahead, smile ? `forward ${number(smile.forward, 0)}` : "");
  const count = view?.flags.length ?? 0;
  put(flags, !view ? "" : count ? `▲ ${count === 1 ? view.flags[0] : `${count} arbitrage flags`}` : "no arbitrage flag");
  flags.title = view?.flags.join("\n") ?? "";
  flags.classList.toggle("warn", count > 0);
}

// A common scale for smiles: x by log-strike, y by IV, robust against a lone wild quote.
function scaleOf(list, quotes, w, h) {
  const ks = list.flatMap((s) => [...s.curve_strikes, ...s.points.map((p) => p.strike)]).filter((k) => k > 0);
  const fits = list.flatMap((s) => s.curve_iv).filter(known);
  const mids = quotes.flatMap((q) => [q.mid_iv, q.bid_iv, q.ask_iv, q.mark_iv]).filter(known).sort((a, b) => a - b);
  const core = fits.length ? fits.concat(mids.slice(Math.floor(mids.length * 0.05), Math.ceil(mids.length * 0.95))) : mids;
  if (!ks.length || !core.length) return null;
  const [k0, k1] = [Math.log(Math.min(...ks)), Math.log(Math.max(...ks))];
  let [low, high] = [Math.min(...core), Math.max(...core)];
  const room = Math.max(1, (high - low) * 0.12);
  [low, high] = [Math.max(0, low - room), high + room];
  const [x0, x1, y0, y1] = [PAD.left, w - PAD.right, h - PAD.bottom, PAD.top];
  return {
    low,
    high,
    x: (k) => x0 + 6 + ((Math.log(k) - k0) / (k1 - k0 || 1)) * (x1 - x0 - 12),
    y: (iv) => Math.min(h, Math.max(0, y0 - ((iv - low) / (high - low)) * (y0 - y1))),
  };
}

export function ruler(low, high, want) {
  const raw = (high - low) / want;
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw);
  const marks = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) marks.push(v);
  return marks;
}

export function lines(c, scale, w, want, digits = 0) {
  c.font = "10px system-ui, sans-serif";
  c.textAlign = "right";
  c.textBaseline = "middle";
  for (const iv of ruler(scale.low, scale.high, want)) {
    const y = Math.round(scale.y(iv)) + 0.5;
    c.fillStyle = colour("grid");
    c.fillRect(PAD.left, y - 0.5, w - PAD.left - PAD.right, 1);
    c.fillStyle = colour("soft");
    c.fillText(number(iv, digits), PAD.left - 5, y);
  }
  c.textBaseline = "alphabetic";
}

function frame(c, scale, w, h, list) {
  lines(c, scale, w, h > 130 ? 5 : 3);
  c.textAlign = "center";
  c.fillStyle = colour("soft");
  let last = -99;
  for (const k of [...new Set(list.flatMap((s) => s.points.map((p) => p.strike)))].sort((a, b) => a - b)) {
    const x = scale.x(k);
    if (x - last < 34 || x > w - 12) continue;
    last = x;
    c.fillText(strike(k), x, h - 3);
  }
}

function forward(c, scale, smile, h) {
  const x = Math.round(scale.x(smile.forward)) + 0.5;
  c.setLineDash([2, 3]);
  c.strokeStyle = colour("line");
  c.beginPath();
  c.moveTo(x, PAD.top);
  c.lineTo(x, h - PAD.bottom);
  c.stroke();
  c.setLineDash([]);
}

function curve(c, scale, smile, tint, width) {
  c.strokeStyle = tint;
  c.lineWidth = width;
  c.beginPath();
  smile.curve_strikes.forEach((k, i) => c[i ? "lineTo" : "moveTo"](scale.x(k), scale.y(smile.curve_iv[i])));
  c.stroke();
}

// Out-of-the-money quotes count, the others stand back. A call is a circle, a put a square.
function whisker(c, scale, smile, quote, h) {
  const otm = quote.call === quote.strike >= smile.forward;
  const chosen = quote.instrument === instrument() || (otm && twin(quote.instrument) === instrument());
  const x = scale.x(quote.strike) + (otm ? 0 : quote.call ? 3 : -3);
  c.globalAlpha = otm || chosen ? 1 : 0.3;
  c.lineWidth = chosen ? 2 : 1.2;
  c.strokeStyle = c.fillStyle = chosen ? colour("text") : colour("quote");
  const [top, bottom] = [quote.ask_iv, quote.bid_iv].map((iv) => (known(iv) ? scale.y(iv) : null));
  if (top !== null && bottom !== null) stroke(c, x, top, x, bottom);
  if (top !== null) stroke(c, x - 2.5, top, x + 2.5, top);
  if (bottom !== null) stroke(c, x - 2.5, bottom, x + 2.5, bottom);
  const middle = quote.mid_iv ?? quote.mark_iv;
  if (known(middle)) {
    const y = scale.y(middle);
    const r = chosen ? 3.2 : 1.9;
    c.beginPath();
    if (quote.call) c.arc(x, y, r, 0, 7);
    else c.rect(x - r, y - r, 2 * r, 2 * r);
    if (known(quote.mid_iv)) c.fill();
    else c.stroke(); // hollow: the venue's mark, nobody quotes it
  }
  c.globalAlpha = 1;
  if (otm || chosen) spots.push({ x, instrument: quote.instrument, quote });
  if (chosen) {
    c.fillStyle = colour("text");
    c.fillRect(x - 0.5, h - PAD.bottom, 1, 4);
  }
}

function stroke(c, x0, y0, x1, y1) {
  c.beginPath();
  c.moveTo(x0, y0);
  c.lineTo(x1, y1);
  c.stroke();
}

function tip(c, w, smile) {
  const { quote } = hover;
  const text = `${strike(quote.strike)} ${quote.call ? "call" : "put"}  ${number(quote.bid_iv, 1)} / ${number(quote.ask_iv, 1)}  mark ${number(quote.mark_iv, 1)}`;
  c.font = "11px system-ui, sans-serif";
  const width = c.measureText(text).width + 12;
  const x = Math.min(w - width - 4, Math.max(PAD.left, hover.x - width / 2));
  c.fillStyle = colour("raised");
  c.fillRect(x, 0, width, 17);
  c.fillStyle = colour("text");
  c.textAlign = "left";
  c.fillText(text, x + 6, 12);
}

// All expiries together: the near ones bright, the far ones faint, the picked one in the accent.
export function smiles(canvas, view, code) {
  const { c, w, h } = sized(canvas);
  if (!w || !h) return;
  c.clearRect(0, 0, w, h);
  const fitted = view.smiles.filter((smile) => smile.curve_iv.length);
  const scale = fitted.length && scaleOf(fitted, [], w - 48, h);
  if (!scale) return note(c, w, h, "no smile is fitted yet");
  frame(c, scale, w, h, fitted);
  let last = -99;
  const ends = fitted.map((smile, i) => ({ smile, i, y: scale.y(smile.curve_iv.at(-1)), x: scale.x(smile.curve_strikes.at(-1)) }));
  for (const { smile, i } of ends) {
    c.globalAlpha = smile.code === code ? 1 : 0.75 - (0.45 * i) / fitted.length;
    curve(c, scale, smile, smile.code === code ? colour("accent") : colour("quote"), smile.code === code ? 2 : 1.2);
  }
  c.globalAlpha = 1;
  c.textAlign = "left";
  for (const { smile, x, y } of ends.sort((a, b) => a.y - b.y)) {
    const at = Math.max(y + 3, last + 12);
    last = at;
    c.fillStyle = smile.code === code ? colour("accent") : colour("soft");
    c.fillText(smile.code.slice(0, -2), x + 5, at);
  }
}

// At-the-money volatility by the root of time, as volatility itself spreads.
export function term(canvas, view, code) {
  const { c, w, h } = sized(canvas);
  if (!w || !h) return;
  c.clearRect(0, 0, w, h);
  const points = view.smiles.filter((smile) => known(smile.atm_iv) && smile.years > 0);
  if (!points.length) return note(c, w, h, "no expiry has an at-the-money volatility yet");
  const ivs = points.map((smile) => smile.atm_iv);
  const room = Math.max(1, (Math.max(...ivs) - Math.min(...ivs)) * 0.25);
  const [low, high] = [Math.min(...ivs) - room, Math.max(...ivs) + room];
  const longest = Math.sqrt(Math.max(...points.map((smile) => smile.years)));
  const scale = {
    low,
    high,
    y: (iv) => h - PAD.bottom - ((iv - low) / (high - low)) * (h - PAD.bottom - PAD.top - 10),
  };
  const x = (smile) => PAD.left + 18 + (Math.sqrt(smile.years) / longest) * (w - PAD.left - PAD.right - 44);
  lines(c, scale, w, 5, high - low < 5 ? 1 : 0);
  c.strokeStyle = colour("accent");
  c.lineWidth = 1.6;
  c.beginPath();
  points.forEach((smile, i) => c[i ? "lineTo" : "moveTo"](x(smile), scale.y(smile.atm_iv)));
  c.stroke();
  c.textAlign = "center";
  let last = -99;
  for (const smile of points) {
    const on = smile.code === code;
    c.beginPath();
    c.arc(x(smile), scale.y(smile.atm_iv), on ? 4 : 3, 0, 7);
    c.fillStyle = on ? colour("text") : colour("accent");
    c.fill();
    if (x(smile) - last < 40) continue;
    last = x(smile);
    c.fillStyle = on ? colour("text") : colour("soft");
    c.fillText(number(smile.atm_iv, 1), x(smile), scale.y(smile.atm_iv) - 8);
    c.fillText(smile.code.slice(0, -2), x(smile), h - 3);
  }
}

function note(c, w, h, text) {
  c.fillStyle = colour("soft");
  c.textAlign = "center";
  c.font = "12px system-ui, sans-serif";
  c.fillText(text, w / 2, h / 2);
}
