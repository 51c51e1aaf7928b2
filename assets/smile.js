// One expiry's smile: bid–ask whiskers, the fit and how far it may be off, and what the quotes leave of it below.

import { $, colour, put } from "./dom.js";
import { FONT, PAD, curve, frame, path, scaleOf, sized, stroke } from "./charts.js";
import { choose, instrument, picked, twin, views, when } from "./feed.js";
import { expiryDay, known, number, signed, strike } from "./format.js";

const STRIP = 34; // pixels of the residuals, where the chart is tall enough for them
const TALL = 120;
const ERRORS = 2; // standard errors that the band shows to either side
const LEAST = 0.25; // vol points: residuals below it are not blown up
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

function draw() {
  const view = views.surface;
  const smile = view?.smiles.find((one) => one.code === picked.code);
  words(smile);
  const { c, w, h } = sized($("smile"));
  if (!w || !h) return;
  c.clearRect(0, 0, w, h);
  spots = [];
  if (!smile) return;
  const quotes = smile.points.filter((p) => known(p.bid_iv) || known(p.ask_iv) || known(p.mark_iv));
  const end = h > TALL && smile.source !== "flat" && smile.points.some((p) => known(p.fit_iv) && known(p.mid_iv)) ? h - STRIP : h;
  const scale = scaleOf([smile], quotes, w, end);
  if (!scale) return;
  frame(c, scale, w, end, [smile]);
  forward(c, scale, smile, end);
  band(c, scale, smile);
  for (const quote of quotes) whisker(c, scale, smile, quote, end);
  curve(c, scale, smile, colour("accent"), 1.6);
  if (end < h) residuals(c, scale, quotes, w, end, h);
  if (hover) tip(c, w);
}

function words(smile) {
  put($("smile-expiry"), smile ? expiryDay(smile.expiry_ms) : "");
  const fit = smile && [known(smile.rms_bp) ? `fit ${number(smile.rms_bp, 0)} bp` : "no fit yet", smile.note].filter(Boolean);
  put($("smile-fit"), fit ? fit.join(" · ") : "");
  $("smile-fit").title = fit ? fit.join(" · ") : "";
}

function forward(c, scale, smile, h) {
  const x = Math.round(scale.x(smile.forward)) + 0.5;
  c.setLineDash([2, 3]);
  c.strokeStyle = colour("line");
  stroke(c, x, PAD.top, x, h - PAD.bottom);
  c.setLineDash([]);
}

// Two standard errors around the fit: wide where quotes are thin.
function band(c, scale, smile) {
  if (!smile.curve_error.length) return;
  const edge = (sign) => smile.curve_strikes.map((k, i) => [scale.x(k), scale.y(smile.curve_iv[i] + sign * ERRORS * smile.curve_error[i])]);
  path(c, [...edge(1), ...edge(-1).reverse()]);
  c.closePath();
  c.globalAlpha = 0.16;
  c.fillStyle = colour("accent");
  c.fill();
  c.globalAlpha = 1;
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

const outside = (quote) => quote.fit_iv > quote.ask_iv || quote.fit_iv < quote.bid_iv;

// Mid over fit, a bar a strike. Where the fit lies outside bid and ask, the bar is bright and has a triangle.
function residuals(c, scale, quotes, w, top, h) {
  const left = quotes.filter((quote) => known(quote.mid_iv) && known(quote.fit_iv));
  const most = Math.max(LEAST, ...left.map((quote) => Math.abs(quote.mid_iv - quote.fit_iv)));
  const [zero, half] = [Math.round((top + h) / 2) + 0.5, (h - top) / 2 - 5];
  c.fillStyle = colour("grid");
  c.fillRect(PAD.left, zero - 0.5, w - PAD.left - PAD.right, 1);
  for (const quote of left) {
    const gap = quote.mid_iv - quote.fit_iv;
    const [x, tall] = [scale.x(quote.strike), Math.max(1, (Math.abs(gap) / most) * half)];
    const bad = outside(quote);
    c.fillStyle = colour(bad ? "warn" : "quote");
    c.fillRect(x - 2, gap > 0 ? zero - tall : zero, 4, tall);
    if (!bad) continue;
    path(c, [[x, zero - 3], [x + 4, zero + 4], [x - 4, zero + 4]]);
    c.fill();
  }
  c.font = FONT;
  c.fillStyle = colour("soft");
  c.textAlign = "right";
  const far = left.filter(outside).length;
  const text = `mid − fit, ±${number(most, most < 1 ? 2 : 1)} points${far ? ` · ▲ ${far} outside` : ""}`;
  const wide = c.measureText(text).width;
  c.fillStyle = colour("panel");
  c.globalAlpha = 0.75;
  c.fillRect(w - PAD.right - wide - 4, h - 11, wide + 4, 11);
  c.globalAlpha = 1;
  c.fillStyle = colour(far ? "warn" : "soft");
  c.fillText(text, w - PAD.right, h - 2);
}

function tip(c, w) {
  const { quote } = hover;
  const gap = known(quote.mid_iv) && known(quote.fit_iv) ? `  mid − fit ${signed(quote.mid_iv - quote.fit_iv, 2)}` : "";
  const text = `${strike(quote.strike)} ${quote.call ? "call" : "put"}  ${number(quote.bid_iv, 1)} / ${number(quote.ask_iv, 1)}  mark ${number(quote.mark_iv, 1)}${gap}`;
  c.font = "11px system-ui, sans-serif";
  const width = c.measureText(text).width + 12;
  const x = Math.min(w - width - 4, Math.max(PAD.left, hover.x - width / 2));
  c.fillStyle = colour("raised");
  c.fillRect(x, 0, width, 17);
  c.fillStyle = colour("text");
  c.textAlign = "left";
  c.fillText(text, x + 6, 12);
}
