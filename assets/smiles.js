// All expiries' smiles over one axis: the near ones bright, the far ones faint, the picked one in the accent with its
// quotes. The pointer finds the nearest; a click opens its option there.

import { thenAt } from "./abscissa.js";
import * as card from "./card.js";
import { cellOf, near as worth, nearestOption, shapeOf } from "./cells.js";
import { curve, earlierCurve, frame, note, path, scaleOf, sized } from "./charts.js";
import { choice, dayOf } from "./choices.js";
import { $, colour } from "./dom.js";
import { choose, mark, picked } from "./feed.js";
import { clock, known, number } from "./format.js";
import { ivAt } from "./svi.js";
import { rows } from "./told.js";

const NAMES_PX = 50; // at the right, for the expiries
const REACH_PX = 16;
const LINE_PX = 12;
let spots = []; // points of the curves: { smile, k, x, y }
let at = null;

export function start() {
  const canvas = $("surface-smiles");
  canvas.addEventListener("pointermove", (event) => to(near(event.offsetX, event.offsetY)));
  canvas.addEventListener("pointerleave", () => to(null));
  canvas.addEventListener("click", () => {
    if (!at) return;
    picked.code = at.smile.code;
    choose(nearestOption(at.smile, at.k));
    mark("surface");
  });
}

function near(x, y) {
  const off = (spot) => Math.hypot(spot.x - x, spot.y - y);
  return spots.filter((spot) => off(spot) < REACH_PX).sort((a, b) => off(a) - off(b))[0] ?? null;
}

function to(spot) {
  if (spot?.smile.code === at?.smile.code && spot?.k === at?.k) return;
  at = spot;
  $("surface-smiles").style.cursor = at ? "pointer" : "";
  if (choice.tab === "smiles") mark("surface");
}

export function draw(canvas, view, kind, earlier) {
  const { c, w, h } = sized(canvas);
  if (!w || !h) return [];
  c.clearRect(0, 0, w, h);
  const fitted = view.smiles.filter((smile) => smile.curve_iv.length > 1 && shapeOf(smile)).map(nearPart);
  const scale = fitted.length ? scaleOf(kind, fitted, [], w - NAMES_PX, h) : null;
  spots = [];
  if (!scale) return note(c, w, h, "no smile is fitted yet") ?? [];
  frame(c, scale, w - NAMES_PX, h, fitted);
  fitted.forEach((smile, i) => strand(c, scale, smile, 1 - (0.6 * i) / fitted.length, earlier));
  for (const smile of fitted) forward(c, scale, smile);
  names(c, fitted);
  ring(c, view, earlier);
  return legendOf(view, fitted, earlier);
}

// A smile without its far wings.
function nearPart(smile) {
  const seen = smile.curve_strikes.map((k) => worth(smile.shape, Math.log(k / smile.shape.forward)));
  const part = (list) => list.filter((_, i) => seen[i]);
  const points = smile.points.filter((point) => worth(smile.shape, Math.log(point.strike / smile.shape.forward)));
  return { ...smile, points, curve_strikes: part(smile.curve_strikes), curve_iv: part(smile.curve_iv), curve_error: part(smile.curve_error) };
}

function strand(c, scale, smile, light, earlier) {
  const on = smile.code === picked.code;
  c.globalAlpha = on ? 1 : light;
  curve(c, scale, smile, colour(on ? "accent" : "quote"), on ? 2.2 : 1.2);
  const before = earlier?.shapes.find((one) => one.code === smile.code);
  if (before && on) earlierCurve(c, scale, smile, smile.curve_strikes.map((k) => thenAt(scale.kind, smile, k, before)), colour("text"));
  c.globalAlpha = 1;
  c.fillStyle = colour("text");
  if (on) for (const point of smile.points) if (known(point.mid_iv)) c.fillRect(scale.x(point.strike, smile) - 1.2, scale.y(point.mid_iv) - 1.2, 2.4, 2.4);
  spots.push(...smile.curve_strikes.map((k, i) => ({ smile, k, x: scale.x(k, smile), y: scale.y(smile.curve_iv[i]) })));
}

// Where each forward lies, over its curve.
function forward(c, scale, smile) {
  const [x, y] = [scale.x(smile.forward, smile), scale.y(ivAt(smile.shape, Math.log(smile.forward / smile.shape.forward))) - 3];
  path(c, [[x - 3, y - 4], [x + 3, y - 4], [x, y]]);
  c.fillStyle = colour(smile.code === picked.code ? "text" : "soft");
  c.fill();
}

// Each at its curve's right end, pushed apart.
function names(c, fitted) {
  const ends = fitted.flatMap((smile) => spots.findLast((spot) => spot.smile === smile) ?? []);
  c.textAlign = "left";
  let last = -99;
  for (const { smile, x, y } of ends.sort((a, b) => a.y - b.y)) {
    last = Math.max(y + 3, last + LINE_PX);
    const on = smile.code === picked.code;
    c.font = on ? "600 10px system-ui, sans-serif" : "10px system-ui, sans-serif";
    c.fillStyle = colour(on ? "accent" : "soft");
    c.fillText(`${dayOf(smile).slice(0, -2)}${smile.source === "quotes" ? "" : " ≈"}`, x + 5, last);
  }
}

function ring(c, view, earlier) {
  const spot = at && spots.find((one) => one.smile.code === at.smile.code && one.k === at.k);
  if (!spot) return card.hide("smiles");
  at = spot;
  c.beginPath();
  c.arc(spot.x, spot.y, 4, 0, 7);
  c.lineWidth = 1.6;
  c.strokeStyle = colour("text");
  c.stroke();
  const cell = cellOf(spot.smile, { strike: spot.k, place: (shape) => Math.log(spot.k / shape.forward) }, earlier, view.t_ms);
  const more = cell.point ? rows(spot.smile, cell.point) : [];
  const said = [[`at ${number(spot.k, 0)}`, `fit ${number(cell.fit, 2)} %`], ...more];
  card.show("smiles", cell.point?.instrument ?? spot.smile.code, said, card.box($("surface-smiles"), spot.x, spot.y));
}

function legendOf(view, fitted, earlier) {
  const items = [
    { mark: "curve-on", text: "looked at" },
    { mark: "forward", text: "F", title: "where the expiry's present forward lies" },
    { mark: "curve-off", text: `${fitted.length} of ${view.smiles.length} fitted`, title: "expiries that have a smile" },
  ];
  if (fitted.some((smile) => smile.source !== "quotes")) items.push({ mark: "curve-stand", text: "≈ marks", title: "a stand-in, fitted to the venue's marks" });
  if (earlier) items.push({ mark: "curve-then", text: `at ${clock(earlier.t_ms)}` });
  return items;
}

export function leave() {
  at = null;
  card.hide("smiles");
}
