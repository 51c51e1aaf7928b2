// How a training goes: each head's loss after every pass over the data, as a share of the first one's.

import { FONT, path, ruler } from "./charts.js";
import { $, attr, colour, surfaceOf } from "./dom.js";
import { known, number, percent } from "./format.js";
import { headName } from "./heads.js";

const PAD = { left: 34, right: 112, top: 8, bottom: 16 };
const LABEL = 12; // px between two names
const NAMES = { slip: "slippage", iv: "IV 60 s", drift: "drift", depth: "depth" };
const DASHES = [[], [5, 3], [2, 3]];
const TINTS = ["accent", "ask", "good", "warn", "bid", "soft"];
let size;
let last = null;

export function start() {
  size = surfaceOf($("work-losses"), () => draw(last));
}

export function draw(job) {
  last = job;
  const { c, w, h } = size();
  if (!w || !h) return;
  c.clearRect(0, 0, w, h);
  const epochs = job?.epochs ?? [];
  attr($("work-losses"), "aria-label", epochs.length ? `training losses after ${epochs.length} of ${epochs[0].of} passes` : "no training losses yet");
  if (epochs.length) chart(c, w, h, epochs);
  else if (job?.do === "train" && job.state === "running") blank(c, w, h);
}

function blank(c, w, h) {
  c.fillStyle = colour("soft");
  c.textAlign = "center";
  c.font = "12px system-ui, sans-serif";
  c.fillText("losses come after the first pass", w / 2, h / 2);
}

function chart(c, w, h, epochs) {
  const names = Object.keys(epochs[0].losses);
  const share = (epoch, name) => epoch.losses[name] / epochs[0].losses[name];
  const all = epochs.flatMap((epoch) => names.map((name) => share(epoch, name))).filter(known);
  const [low, high] = [Math.min(...all, 0.9), Math.max(...all, 1.02)];
  const x = (number) => PAD.left + ((number - 1) / Math.max(1, epochs[0].of - 1)) * (w - PAD.left - PAD.right);
  const y = (value) => h - PAD.bottom - ((value - low) / (high - low)) * (h - PAD.bottom - PAD.top);
  axes(c, w, h, low, high, x, y, epochs[0].of);
  const ends = names.map((name, k) => {
    c.strokeStyle = colour(TINTS[k % TINTS.length]);
    c.lineWidth = 1.4;
    c.setLineDash(DASHES[Math.floor(k / TINTS.length) % DASHES.length]);
    const line = epochs.map((epoch) => [x(epoch.number), y(share(epoch, name))]);
    path(c, line);
    c.stroke();
    c.setLineDash([]);
    for (const [px, py] of line) c.fillRect(px - 1, py - 1, 2, 2);
    return { name, k, y: line.at(-1)[1], x: line.at(-1)[0], share: share(epochs.at(-1), name) };
  });
  label(c, w, h, ends);
}

function axes(c, w, h, low, high, x, y, of) {
  c.font = FONT;
  c.textAlign = "right";
  for (const mark of ruler(low, high, 4)) {
    c.fillStyle = colour("grid");
    c.fillRect(PAD.left, Math.round(y(mark)), w - PAD.left - PAD.right, 1);
    c.fillStyle = colour("soft");
    c.fillText(percent(mark), PAD.left - 4, y(mark) + 3);
  }
  c.textAlign = "center";
  const every = Math.ceil(of / 8);
  for (let k = 1; k <= of; k += every) c.fillText(number(k), x(k), h - 3);
}

// Names at the right, moved apart so that none covers another.
function label(c, w, h, ends) {
  ends.sort((a, b) => a.y - b.y);
  const room = h - PAD.bottom;
  let at = PAD.top - 2;
  ends.forEach((end, k) => {
    at = Math.max(at + (k ? LABEL : 0), Math.min(end.y, room - (ends.length - 1 - k) * LABEL));
    c.textAlign = "left";
    c.fillStyle = colour(TINTS[end.k % TINTS.length]);
    c.fillText(`${NAMES[end.name] ?? headName(end.name)} ${percent(end.share)}`, w - PAD.right + 8, at + 3);
  });
}
