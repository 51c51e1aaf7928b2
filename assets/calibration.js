// Calibration: what was said beside how often it came true, on the sessions the chosen model was judged on.

import { FONT, path } from "./charts.js";
import { $, attr, colour, el, keyed, put, surfaceOf } from "./dom.js";
import { when } from "./feed.js";
import { known, number, percent } from "./format.js";
import { cells, headName, table } from "./heads.js";
import { shown } from "./registry.js";

const PLOTS = ["direction", "direction_10", "direction_60", "fill"];
const LOOKS = { up: ["bid", "▲"], down: ["ask", "▼"], stable: ["soft", "●"], fill: ["accent", "◆"] };
const PAD = { left: 26, right: 8, top: 15, bottom: 14 };
const COLUMNS = [
  ["what", "policy's threshold"],
  ["num said", "said", "mean forecast of the moments at or above the threshold"],
  ["num came", "came", "share of them that came true"],
  ["num band", "90 %", "interval of that share; said from 700 moments on"],
  ["num n", "n", "moments"],
];
let size;
let levels;

export function start() {
  size = surfaceOf($("calibration"), draw);
  levels = table($("calibration-table"), COLUMNS, "calibration at the policy's thresholds");
  when(["models", "picked"], draw);
}

function draw() {
  const row = shown();
  const scores = PLOTS.map((head) => row?.scores.find((score) => score.head === head)).filter(Boolean);
  const curves = scores.filter((score) => points(score).length);
  const errors = scores.filter((score) => known(score.ece)).map((score) => `${headName(score.head)} ${number(100 * score.ece, 1)}`);
  const words = errors.length ? `mean error, points: ${errors.join(" · ")}` : "";
  put($("calibration-note"), errors.length ? `mean error ${number(100 * scores[0].ece, 1)} points at 1 s` : "");
  attr($("calibration"), "aria-label", words || "no calibration curve");
  $("calibration-note").title = words;
  thresholds(scores);
  const { c, w, h } = size();
  if (!w || !h) return;
  c.clearRect(0, 0, w, h);
  if (!curves.length) return blank(c, w, h, row);
  const [columns, lines] = curves.length > 1 ? [2, Math.ceil(curves.length / 2)] : [1, 1];
  curves.forEach((score, k) => {
    const [x, y] = [(k % columns) * (w / columns), Math.floor(k / columns) * (h / lines)];
    plot(c, x, y, w / columns, h / lines, score);
  });
}

function blank(c, w, h, row) {
  c.fillStyle = colour("soft");
  c.textAlign = "center";
  c.font = "12px system-ui, sans-serif";
  c.fillText(row && !row.bad ? "not judged" : "", w / 2, h / 2);
}

// Bins with what was said, what came, how many; of older weights the thresholds alone.
function points(score) {
  const bins = Object.entries(score.reliability).flatMap(([name, all]) => all.map(([said, came, n]) => ({ name, said, came, n })));
  if (bins.length) return bins;
  return score.at_threshold.filter((one) => one.n).map((one) => ({ name: one.head, said: one.mean_forecast, came: one.realised, n: one.n, lo: one.lo, hi: one.hi }));
}

function plot(c, left, top, w, h, score) {
  const [x0, x1, y0, y1] = [left + PAD.left, left + w - PAD.right, top + h - PAD.bottom, top + PAD.top];
  const x = (share) => x0 + share * (x1 - x0);
  const y = (share) => y0 - share * (y0 - y1);
  frame(c, x, y, headName(score.head), score);
  for (const name of Object.keys(LOOKS)) {
    const all = points(score).filter((one) => one.name === name).sort((a, b) => a.said - b.said);
    if (all.length) series(c, x, y, name, all);
  }
}

function frame(c, x, y, name, score) {
  c.font = FONT;
  c.textBaseline = "alphabetic";
  for (const share of [0, 0.5, 1]) {
    c.fillStyle = colour("grid");
    c.fillRect(x(0), Math.round(y(share)), x(1) - x(0), 1);
    c.fillRect(Math.round(x(share)), y(1), 1, y(0) - y(1));
    c.fillStyle = colour("soft");
    c.textAlign = "right";
    c.fillText(number(100 * share), x(0) - 4, y(share) + 3);
    c.textAlign = share === 0 ? "left" : share === 1 ? "right" : "center";
    c.fillText(share === 1 ? "said 100 %" : number(100 * share), x(share), y(0) + 11);
  }
  c.textAlign = "left";
  c.fillStyle = colour("text");
  c.fillText(name, x(0), y(1) - 5);
  c.textAlign = "right";
  c.fillStyle = colour("soft");
  if (known(score.ece)) c.fillText(`error ${number(100 * score.ece, 1)} pt`, x(1), y(1) - 5);
  c.strokeStyle = colour("quote");
  c.setLineDash([3, 3]);
  c.lineWidth = 1;
  path(c, [[x(0), y(0)], [x(1), y(1)]]);
  c.stroke();
  c.setLineDash([]);
}

// A class's curve, with a mark of its own a bin; the more moments, the larger.
function series(c, x, y, name, all) {
  const [tint, glyph] = LOOKS[name];
  c.strokeStyle = c.fillStyle = colour(tint);
  c.lineWidth = 1.2;
  path(c, all.map((one) => [x(one.said), y(one.came)]));
  c.stroke();
  c.textAlign = "center";
  c.textBaseline = "middle";
  for (const one of all) {
    if (known(one.lo)) {
      path(c, [[x(one.said), y(one.lo)], [x(one.said), y(one.hi)]]);
      c.stroke();
    }
    c.font = `${6 + Math.min(5, Math.log10(1 + one.n))}px system-ui, sans-serif`;
    c.fillText(glyph, x(one.said), y(one.came));
  }
}

function thresholds(scores) {
  const all = scores.filter((score) => score.head !== "fill").flatMap((score) => score.at_threshold.map((one) => ({ ...one, of: score.head })));
  const shownOnes = all.filter((one) => one.of === "direction");
  $("calibration-table").hidden = !shownOnes.length;
  keyed(levels.body, shownOnes, (one) => one.head, () => cells(COLUMNS), (tr, one) => {
    const at = tr.at;
    if (!at.what.firstChild) at.what.append(el("span", `mark ${one.head}`), el("span"));
    put(at.what.firstChild, LOOKS[one.head][1]);
    put(at.what.lastChild, ` 1 s ${one.head} ≥ ${percent(one.threshold)}`);
    put(at.said, percent(one.mean_forecast, 1));
    put(at.came, percent(one.realised, 1));
    put(at.band, known(one.lo) ? `${number(100 * one.lo, 1)}…${number(100 * one.hi, 1)}` : "–");
    put(at.n, number(one.n));
  });
}
