// The surface in space, painted far to near on one canvas. New figures at most once a second; turning it never waits.

import { $, colour, put } from "./dom.js";
import { axes } from "./axes.js";
import * as card from "./card.js";
import { looksAt, nearestOption } from "./cells.js";
import { FONT, note, path, sized } from "./charts.js";
import { choice, keep } from "./choices.js";
import { choose, instrument, mark, picked } from "./feed.js";
import { clock, known, number, signed } from "./format.js";
import { ramp } from "./legend.js";
import { build, faces, tint } from "./mesh.js";
import { rows as linesOf } from "./told.js";
import { place } from "./camera.js";

const PACE_MS = 1000;
const NEAR_PX = 14;
const STEP = 0.12; // radians of a press of an arrow
const SETTLED_MS = 400;
const HOME = { yaw: -0.65, pitch: 0.5, zoom: 1 };

const camera = { ...HOME };
let built = null; // what is drawn: columns, rows, points, scale
let key = "";
let at = 0;
let spots = []; // the points as they lie on the canvas
let cursor = null; // [row, column] that the keyboard or the pointer is at
let canvas = null;
let painted = ""; // what it hung on as it was painted last
let waiting = 0;
let saving = 0;

export function start() {
  Object.assign(camera, choice.camera ?? {});
  canvas = $("surface-space");
  let from = null;
  canvas.addEventListener("pointerdown", (event) => {
    from = { x: event.clientX, y: event.clientY, yaw: camera.yaw, pitch: camera.pitch, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return void hover(event.offsetX, event.offsetY);
    from.moved ||= Math.hypot(event.clientX - from.x, event.clientY - from.y) > 4;
    if (from.moved) turn(from.yaw + (event.clientX - from.x) / 160, from.pitch + (event.clientY - from.y) / 160);
  });
  canvas.addEventListener("pointerup", () => {
    if (from && !from.moved) open();
    from = null;
  });
  canvas.addEventListener("pointercancel", () => (from = null));
  canvas.addEventListener("pointerleave", () => !from && hover(-99, -99));
  canvas.addEventListener("wheel", wheel, { passive: false });
  canvas.addEventListener("keydown", press);
  canvas.addEventListener("blur", leave);
}

export function leave() {
  cursor = null;
  card.hide("space");
  paint();
}

// The camera stays as it is over a reload too; it is written down when the turning has ended.
function moved() {
  clearTimeout(saving);
  saving = setTimeout(() => keep({ camera: { ...camera } }), SETTLED_MS);
  paint();
}

function turn(yaw, pitch) {
  camera.yaw = yaw;
  camera.pitch = Math.min(1.5, Math.max(0.05, pitch));
  moved();
}

function wheel(event) {
  event.preventDefault();
  zoom(event.deltaY < 0 ? 1.08 : 1 / 1.08);
}

function zoom(by) {
  camera.zoom = Math.min(2.5, Math.max(0.6, camera.zoom * by));
  moved();
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const arrow = ARROWS[event.key];
  if (arrow && event.shiftKey) walk(...arrow);
  else if (arrow) turn(camera.yaw + arrow[0] * STEP, camera.pitch + arrow[1] * STEP);
  else if (event.key === "+" || event.key === "=") zoom(1.1);
  else if (event.key === "-") zoom(1 / 1.1);
  else if (event.key === "Home") (Object.assign(camera, HOME), moved());
  else if (event.key === "Enter" || event.key === " ") open();
  else return;
  event.preventDefault();
  event.stopPropagation();
}

// Along the points, over the holes.
function walk(column, row) {
  if (!built) return;
  if (!cursor) return stand();
  let [r, i] = cursor;
  do [r, i] = [r + row, i + column];
  while (built.cells[r]?.[i] && !known(built.value(built.cells[r][i])));
  if (!built.cells[r]?.[i]) return;
  stop(r, i);
}

// The keyboard's first step only finds its place: the nearest expiry's point nearest to the middle.
function stand() {
  const off = (spot) => spot.row * 99 + Math.abs(spot.column - (built.columns.length - 1) / 2);
  const first = [...spots].sort((a, b) => off(a) - off(b))[0];
  if (first) stop(first.row, first.column);
}

function stop(row, column) {
  cursor = [row, column];
  put($("surface-said"), said());
  paint();
}

function hover(x, y) {
  const near = spots.map((spot) => ({ spot, far: Math.hypot(spot.x - x, spot.y - y) })).filter((one) => one.far < NEAR_PX);
  const best = near.sort((a, b) => a.far - b.far)[0]?.spot;
  const next = best ? [best.row, best.column] : null;
  canvas.style.cursor = next ? "pointer" : "grab";
  if (String(next) === String(cursor) || (!next && document.activeElement === canvas)) return;
  cursor = next;
  paint();
}

function open() {
  const found = cursor && nearestOption(built.smiles[cursor[0]], built.cells[cursor[0]][cursor[1]].strike);
  if (!found) return;
  picked.code = built.smiles[cursor[0]].code;
  choose(found);
  mark("surface");
}

// Take new figures in, at most once a second; another choice at once. Returns the legend.
export function draw(view, kind, earlier) {
  const now = performance.now();
  const wanted = `${kind}|${earlier?.minutes}|${view.smiles.map((smile) => smile.code)}`;
  if (wanted !== key || now - at >= PACE_MS) {
    if (wanted !== key) leave();
    [key, at] = [wanted, now];
    built = build(view, kind, earlier);
    paint();
  } else if (painted !== seen()) paint();
  return legendOf();
}

// What else than figures the picture hangs on.
const seen = () => `${instrument()}|${canvas.parentElement.clientWidth}|${canvas.parentElement.clientHeight}`;

function legendOf() {
  const { low, high, earlier, smiles, all } = built;
  const scale = earlier
    ? { ramp: "change", texts: [signed(low, 1), "0", `${signed(high, 1)} pts`], title: `change of the fit since ${clock(earlier.t_ms)}, vol points` }
    : { ramp: "iv", texts: ramp(low, high), title: "IV of the fit" };
  if (!smiles.length) return [{ mark: "", text: `${all} expiries, none with a smile` }];
  const items = [scale, { mark: "circle", text: "looked at" }];
  if (earlier) items.push({ mark: "", text: `since ${clock(earlier.t_ms)}` });
  if (smiles.length < all) items.push({ mark: "", text: `${all - smiles.length} unknown`, title: "expiries without a smile are left out" });
  return items;
}

function paint() {
  if (!waiting) waiting = requestAnimationFrame(paintNow);
}

function paintNow() {
  waiting = 0;
  if (choice.tab !== "3D" || !built) return;
  const { c, w, h } = sized(canvas);
  if (!w || !h) return;
  painted = seen();
  c.clearRect(0, 0, w, h);
  c.font = FONT;
  const rows = built.cells.length;
  const project = place(camera, w, h);
  const across = (i) => (2 * i) / (built.columns.length - 1) - 1;
  const along = (row) => (rows > 1 ? 1 - (2 * row) / (rows - 1) : 0); // the nearest expiry in front
  const up = (iv) => (iv - built.low) / (built.high - built.low || 1);
  const grid = built.cells.map((line, row) =>
    line.map((cell, column) => {
      const iv = built.value(cell);
      return known(iv) ? { ...project(across(column), along(row), up(iv)), iv, row, column } : null;
    }),
  );
  spots = grid.flat().filter(Boolean);
  if (!spots.length) return void note(c, w, h, built.change ? "no smile has a change to show" : "no smile is fitted to quotes yet");
  axes(c, project, built, { across, along, up });
  for (const face of faces(grid)) fillFace(c, face);
  if (rows === 1) line(c, grid[0].filter(Boolean));
  markChosen(c, grid);
  const spot = cursor && grid[cursor[0]]?.[cursor[1]];
  if (spot) tip(c, spot);
  else card.hide("space");
}

function fillFace(c, { corners }) {
  path(c, corners.map((one) => [one.x, one.y]));
  c.closePath();
  c.fillStyle = tint(built, corners.reduce((sum, one) => sum + one.iv, 0) / 4);
  c.strokeStyle = "#0b1016";
  c.lineWidth = 0.7;
  c.fill();
  c.stroke();
}

function line(c, points) {
  path(c, points.map((one) => [one.x, one.y]));
  c.strokeStyle = colour("accent");
  c.stroke();
}

function markChosen(c, grid) {
  const row = built.smiles.findIndex((smile) => smile.points.some((p) => looksAt(p.instrument)));
  const k = Number(instrument().split("-")[2]);
  if (row < 0 || !k) return;
  const gap = (one) => Math.abs(Math.log(built.cells[row][one.column].strike / k));
  const spot = grid[row].filter(Boolean).sort((a, b) => gap(a) - gap(b))[0];
  if (spot) ring(c, spot, colour("text"));
}

function ring(c, spot, tint) {
  c.beginPath();
  c.arc(spot.x, spot.y, 4, 0, 7);
  c.strokeStyle = tint;
  c.lineWidth = 1.8;
  c.stroke();
}

function said() {
  const smile = built.smiles[cursor[0]];
  const cell = built.cells[cursor[0]][cursor[1]];
  return `${smile.code}  ${number(cell.strike, 0)}  ${valueOf(cell)}  ${nearestOption(smile, cell.strike)}`;
}

const valueOf = (cell) => (built.change ? `${signed(cell.change, 2)} pts` : `${number(cell.fit, 2)} %`);

function tip(c, spot) {
  ring(c, spot, colour("accent"));
  const smile = built.smiles[spot.row];
  const cell = built.cells[spot.row][spot.column];
  const head = [[`at ${number(cell.strike, 0)}`, valueOf(cell)]];
  card.show("space", cell.point?.instrument ?? smile.code, cell.point ? [...head, ...linesOf(smile, cell.point)] : head, card.box(canvas, spot.x, spot.y));
}
