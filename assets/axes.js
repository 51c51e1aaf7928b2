// The floor of the surface in space, what its edges and its height stand for.

import { path } from "./charts.js";
import { dayOf } from "./choices.js";
import { colour } from "./dom.js";
import { number, signed } from "./format.js";

// The floor, and its axes along the edges that lie in front; the height along the corner that lies to the left.
export function axes(c, project, built, { across, along, up }) {
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
  const floor = corners.map(([x, y]) => project(x, y, 0));
  path(c, floor.map((one) => [one.x, one.y]));
  c.closePath();
  c.strokeStyle = colour("line");
  c.lineWidth = 1;
  c.stroke();
  c.fillStyle = colour("soft");
  const front = Math.sign(project(0, 1, 0).depth - project(0, -1, 0).depth) || 1;
  const side = Math.sign(project(1, 0, 0).depth - project(-1, 0, 0).depth) || 1;
  const every = Math.ceil(built.columns.length / 7);
  built.columns.forEach((column, i) => i % every === 0 && label(c, project, [across(i), front], [across(i), front * 1.13], column.label));
  const step = Math.ceil(built.smiles.length / 8);
  built.smiles.forEach((smile, row) => row % step === 0 && label(c, project, [side, along(row)], [side * 1.13, along(row)], dayOf(smile).slice(0, -2)));
  const left = corners.map(([x, y]) => ({ x, y, at: project(x, y, 0).x })).sort((a, b) => a.at - b.at)[0];
  const [foot, head] = [project(left.x, left.y, 0), project(left.x, left.y, 1)];
  path(c, [[foot.x, foot.y], [head.x, head.y]]);
  c.stroke();
  c.textAlign = "right";
  for (const share of built.change ? [0.5, 1] : [0.3, 0.65, 1]) {
    const iv = built.low + (built.high - built.low) * share;
    const mark = project(left.x, left.y, up(iv));
    c.fillText(built.change ? signed(iv, 1) : `${number(iv, 0)} %`, mark.x - 4, mark.y + 3);
  }
}

function label(c, project, from, to, text) {
  const [a, b] = [project(...from, 0), project(...to, 0)];
  c.textAlign = b.x > a.x + 3 ? "left" : b.x < a.x - 3 ? "right" : "center";
  c.fillText(text, b.x, b.y + 4);
}
