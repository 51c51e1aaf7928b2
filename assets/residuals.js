// What bid, mid and ask are over the fit, a whisker a strike, in vol points: the fit is the line in the middle. Where
// the fit lies outside of bid and ask, the whisker is bright and has a triangle on that line.

import { FONT, PAD, stroke } from "./charts.js";
import { colour } from "./dom.js";
import { brief, known, number } from "./format.js";
import { outside } from "./told.js";

const LEAST = 0.25; // vol points: less is not blown up
const SHARE = 0.85; // of the whiskers that lie within the scale whole; the longest are cut
const CAPTION_PX = 11;

// From `top` down to `h` of the canvas. `chosen(quote)`: whether it is looked at.
export function residuals(c, scale, smile, quotes, { w, top, h, chosen }) {
  const left = quotes.filter((quote) => known(quote.fit_iv) && (known(quote.bid_iv) || known(quote.ask_iv)));
  const caption = h - top >= 40;
  const most = reach(left);
  const [from, to] = [top + 3, caption ? h - CAPTION_PX : h - 2];
  const zero = Math.round((from + to) / 2) + 0.5;
  const y = (gap) => zero - (Math.max(-1, Math.min(1, gap / most)) * (to - from)) / 2;
  ruler(c, w, most, zero, from, to);
  for (const quote of left) whisker(c, quote, { x: scale.x(quote.strike, smile), y, zero, most, on: chosen(quote) });
  if (caption) words(c, w, h, left);
}

function reach(quotes) {
  const sides = quotes.flatMap((quote) => [quote.bid_iv, quote.ask_iv].filter(known).map((iv) => Math.abs(iv - quote.fit_iv))).sort((a, b) => a - b);
  return Math.max(LEAST, sides[Math.floor(sides.length * SHARE)] ?? 0);
}

function ruler(c, w, most, zero, from, to) {
  c.fillStyle = colour("accent");
  c.globalAlpha = 0.6;
  c.fillRect(PAD.left, zero - 0.5, w - PAD.left - PAD.right, 1);
  c.globalAlpha = 1;
  c.font = FONT;
  c.fillStyle = colour("soft");
  c.textAlign = "right";
  c.fillText(brief(most), PAD.left - 4, from + 6);
  c.fillText(brief(-most), PAD.left - 4, to + 1);
}

function whisker(c, quote, { x, y, zero, most, on }) {
  const bad = outside(quote);
  c.strokeStyle = c.fillStyle = colour(bad ? "warn" : on ? "text" : "quote");
  c.lineWidth = on ? 2 : 1.2;
  const [top, bottom] = [quote.ask_iv, quote.bid_iv].map((iv) => (known(iv) ? y(iv - quote.fit_iv) : null));
  if (top !== null && bottom !== null) stroke(c, x, top, x, bottom);
  for (const edge of [top, bottom]) if (edge !== null) stroke(c, x - 2.5, edge, x + 2.5, edge);
  const gap = quote.mid_iv - quote.fit_iv;
  if (known(quote.mid_iv)) c.fillRect(x - 1.8, y(gap) - 1.8, 3.6, 3.6);
  if (known(quote.mid_iv) && Math.abs(gap) > most) beyond(c, x, y(gap), gap);
  if (!bad) return;
  c.beginPath();
  c.moveTo(x, zero - 4);
  c.lineTo(x + 4, zero + 3);
  c.lineTo(x - 4, zero + 3);
  c.closePath();
  c.fill();
}

// How far, where the scale does not reach.
function beyond(c, x, y, gap) {
  c.font = FONT;
  c.textAlign = "left";
  c.fillText(brief(gap), x + 5, y + (gap > 0 ? 6 : 2));
}

function words(c, w, h, quotes) {
  const far = quotes.filter(outside).length;
  c.textAlign = "left";
  c.fillStyle = colour("soft");
  c.fillText("bid · mid · ask less fit, vol points", PAD.left, h - 1);
  c.textAlign = "right";
  c.fillStyle = colour(far ? "warn" : "soft");
  c.fillText(far ? `▲ fit outside of ${number(far)} of ${quotes.length}` : `fit inside all ${quotes.length}`, w - PAD.right, h - 1);
}
