// A parent's prices and fills over its life: the market as a band with its micro-price, fills on it, what was done below.

import { $, attr, colour, put, surfaceOf } from "./dom.js";
import { mark } from "./feed.js";
import { clock, number } from "./format.js";

const LEFT = 58;
const RIGHT = 10;
const FOOT = 18; // for the clock
const DONE = 0.24; // share of the height for what was done
let paper;

export function start() {
  paper = surfaceOf($("costs-course"), () => mark("cost"));
}

export function draw(detail) {
  const { c, w, h } = paper();
  c.clearRect(0, 0, w, h);
  if (w < 80 || h < 80) return;
  const points = detail?.points ?? [];
  put($("costs-course-note"), points.length > 1 ? "band: bid to ask; line: micro-price; ● took ■ rested; below: done against the schedule, dashed" : "");
  if (!detail || points.length < 2) return void say(c, w, h, detail ? "the market was not seen while it lived" : "");
  attr($("costs-course"), "aria-label", `${detail.fills.length} fills between ${clock(points[0].t_ms)} and ${clock(points.at(-1).t_ms)} UTC`);
  const low = (h - FOOT) * (1 - DONE);
  const times = [...points, ...detail.fills].map((one) => one.t_ms);
  const x = scale(Math.min(...times), Math.max(...times), LEFT, w - RIGHT);
  const prices = [...points.flatMap((one) => [one.bid, one.ask]), ...detail.fills.map((one) => one.price)];
  const edge = 0.08 * (Math.max(...prices) - Math.min(...prices)) || 1e-4;
  const y = scale(Math.min(...prices) - edge, Math.max(...prices) + edge, low - 6, 4);
  axes(c, x, y, w, h, low, detail.parent.digits);
  market(c, points, x, y, detail.parent.arrival);
  const tone = colour(detail.parent.side === "buy" ? "bid" : "ask");
  for (const fill of detail.fills) dot(c, x(fill.t_ms), y(fill.price), fill.maker, tone);
  done(c, detail, x, scale(0, detail.parent.amount || 1, h - FOOT - 2, low + 8), tone, low, h);
}

const scale = (low, high, begin, end) => Object.assign((value) => begin + ((end - begin) * (value - low)) / (high - low || 1), { low, high, begin, end });

function say(c, w, h, text) {
  c.fillStyle = colour("soft");
  c.textAlign = "center";
  c.font = "12px Inter, system-ui, sans-serif";
  c.fillText(text, w / 2, h / 2);
}

function axes(c, x, y, w, h, low, digits) {
  c.font = "10.5px Inter, system-ui, sans-serif";
  c.lineWidth = 1;
  c.strokeStyle = colour("grid");
  c.fillStyle = colour("soft");
  c.textAlign = "right";
  for (let k = 0; k <= 3; k++) {
    const price = y.low + ((y.high - y.low) * (k + 0.5)) / 4;
    line(c, [[LEFT, y(price)], [w - RIGHT, y(price)]]);
    c.fillText(number(price, digits + 1), LEFT - 6, y(price) + 4);
  }
  for (let k = 0; k <= 4; k++) {
    const t = x.low + ((x.high - x.low) * k) / 4;
    line(c, [[x(t), 4], [x(t), h - FOOT]]);
    c.textAlign = k === 0 ? "left" : k === 4 ? "right" : "center";
    c.fillText(clock(t), x(t), h - 4);
  }
}

function market(c, points, x, y, arrival) {
  c.fillStyle = colour("soft");
  c.globalAlpha = 0.17;
  c.beginPath();
  points.forEach((one, k) => c[k ? "lineTo" : "moveTo"](x(one.t_ms), y(one.ask)));
  [...points].reverse().forEach((one) => c.lineTo(x(one.t_ms), y(one.bid)));
  c.fill();
  c.globalAlpha = 1;
  if (arrival) dashed(c, [[x.begin, y(arrival)], [x.end, y(arrival)]], colour("soft"));
  c.strokeStyle = colour("text");
  c.lineWidth = 1.3;
  line(c, points.map((one) => [x(one.t_ms), y(one.micro)]));
}

function dot(c, x, y, maker, tone) {
  c.fillStyle = tone;
  c.strokeStyle = colour("bg");
  c.lineWidth = 1;
  c.beginPath();
  if (maker) c.rect(x - 3.2, y - 3.2, 6.4, 6.4);
  else c.arc(x, y, 3.8, 0, 2 * Math.PI);
  c.fill();
  c.stroke();
}

function done(c, detail, x, y, tone, low, h) {
  const whole = detail.parent.amount;
  c.fillStyle = colour("soft");
  c.textAlign = "right";
  c.fillText(number(whole), LEFT - 6, y(whole) + 8);
  c.fillText("done", LEFT - 6, h - FOOT - 2);
  c.strokeStyle = colour("line");
  line(c, [[LEFT, low + 2], [x.end, low + 2]]);
  const planned = detail.points.filter((one) => one.due !== null).map((one) => [x(one.t_ms), y(Math.min(one.due, whole))]);
  dashed(c, planned, colour("soft"));
  const steps = [[x.begin, y(0)]];
  let sum = 0;
  for (const fill of [...detail.fills].sort((a, b) => a.t_ms - b.t_ms)) {
    steps.push([x(fill.t_ms), y(sum)], [x(fill.t_ms), y((sum += fill.amount))]);
  }
  steps.push([x.end, y(sum)]);
  c.strokeStyle = tone;
  c.lineWidth = 1.6;
  line(c, steps);
}

function dashed(c, points, tone) {
  c.strokeStyle = tone;
  c.lineWidth = 1;
  c.setLineDash([3, 3]);
  line(c, points);
  c.setLineDash([]);
}

function line(c, points) {
  c.beginPath();
  points.forEach(([x, y], k) => c[k ? "lineTo" : "moveTo"](x, y));
  c.stroke();
}
