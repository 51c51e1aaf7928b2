// The replay bar. In a replay it moves the engine along its tape; live it shows what happened in the last minutes.

import { drive } from "./command.js";
import { $, attr, colour, el, flag, put, surfaceOf } from "./dom.js";
import { mark, now, views, when } from "./feed.js";
import { clock, day, number } from "./format.js";

const SPEEDS = [1, 2, 5, 10, 25, 100, 500];
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const LIVE_MS = 30 * 60_000;
const STEPS = 1000;
const HEIGHTS = { info: 0.35, good: 0.8, warn: 0.8, bad: 1 };
const KINDS = { proposal: "accent", fill: "good", halt: "warn", gap: "warn", alert: "bad" };
let size;
let dragging = false;

export function start() {
  const track = $("replay-track");
  const canvas = el("canvas");
  const slider = el("input", "slider");
  Object.assign(slider, { type: "range", id: "replay-slider", min: 0, max: STEPS, step: 1, value: STEPS, disabled: true });
  slider.setAttribute("aria-label", "moment of the session");
  track.append(canvas, slider);
  size = surfaceOf(canvas, () => mark("replay"));
  slider.addEventListener("input", () => {
    dragging = true;
    mark("replay");
  });
  slider.addEventListener("change", async () => {
    await ask("seek", at(Number(slider.value)));
    dragging = false;
  });
  $("replay-play").addEventListener("click", () => ask(views.replay?.playing ? "pause" : "play"));
  $("replay-step").addEventListener("click", () => ask("step", 1));
  $("replay-speed").addEventListener("click", (event) => {
    const all = speedsOf(views.replay);
    const at = all.indexOf(views.replay.speed) + (event.shiftKey ? -1 : 1);
    ask("speed", all.at(at % all.length));
  });
  $("session-open").addEventListener("click", session);
  when(["replay", "status", "notes", "tick"], draw);
}

const at = (step) => views.replay.start_ms + ((views.replay.end_ms - views.replay.start_ms) * step) / STEPS;

// A long session can also be seen through in a minute.
export function speedsOf({ start_ms, end_ms }) {
  const minute = (end_ms - start_ms) / MINUTE_MS;
  return minute > 100 ? [...SPEEDS.filter((s) => s < minute), minute] : SPEEDS;
}

export const speedName = (speed) => (SPEEDS.includes(speed) ? `${speed}×` : `${number(speed / 60)} h/min`);

async function ask(what, value) {
  const answer = await drive(what, value);
  if (!answer.ok) say(answer.text);
}

export function say(text) {
  const toast = $("toast");
  put(toast, text);
  toast.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => (toast.hidden = true), 6000);
}

export const toggle = () => !$("replay-play").disabled && $("replay-play").click();

function draw() {
  const replay = views.status?.mode === "replay" ? views.replay : undefined;
  const play = $("replay-play");
  for (const id of ["replay-play", "replay-step", "replay-speed", "replay-slider"]) $(id).disabled = !replay;
  put(play, replay?.playing ? "❚❚" : "▶");
  attr(play, "aria-label", replay?.playing ? "pause" : "play");
  put($("replay-speed"), speedName(replay?.speed ?? 1));
  attr($("replay-speed"), "title", replay ? `${number(replay.speed)} times; shift and click: slower` : "");
  put($("replay-session"), replay ? replay.session : views.status ? "live" : "–");
  $("replay-session").title = replay ? `input ${number(replay.step)} of ${number(replay.steps)}` : "";
  flag($("replay-bar"), "replaying", replay);
  const slider = $("replay-slider");
  if (replay && !dragging) slider.value = ((now() - replay.start_ms) / (replay.end_ms - replay.start_ms || 1)) * STEPS;
  if (!replay) slider.value = STEPS;
  const t = dragging && replay ? at(Number(slider.value)) : now();
  const long = replay && replay.end_ms - replay.start_ms > DAY_MS;
  put($("replay-clock"), views.status ? `${long ? `${day(t)} ` : ""}${clock(t, replay && !long)} UTC` : "–");
  attr(slider, "aria-valuetext", clock(t));
  timeline(replay);
}

function timeline(replay) {
  const { c, w, h } = size();
  if (!w || !h) return;
  c.clearRect(0, 0, w, h);
  const [from, to] = replay ? [replay.start_ms, replay.end_ms] : [now() - LIVE_MS, now()];
  const x = (t) => ((t - from) / (to - from || 1)) * w;
  scale(c, from, to, x, h);
  if (replay) {
    c.fillStyle = colour("accent");
    c.globalAlpha = 0.12;
    c.fillRect(0, 0, x(now()), h);
    c.globalAlpha = 1;
    for (const marker of replay.markers) tick(c, x(marker.t_ms), h, colour(KINDS[marker.kind] ?? "soft"), 0.9);
  } else {
    for (const note of views.notes) {
      if (note.t_ms < from) continue;
      const tint = note.level === "info" ? "accent" : note.level;
      tick(c, x(note.t_ms), h, colour(tint), HEIGHTS[note.level]);
    }
  }
}

function tick(c, x, h, tint, share) {
  c.fillStyle = tint;
  c.fillRect(Math.round(x) - 1, h * (1 - share), 2, h * share);
}

// Round moments along the bar: a few, wherever they fit; of a long session the hours, and the day where one begins.
function scale(c, from, to, x, h) {
  const steps = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200].map((s) => s * 1000);
  const step = steps.find((s) => (to - from) / s <= 12) ?? 14_400_000;
  const hour = 60 * MINUTE_MS;
  if (step > hour) for (let t = Math.ceil(from / hour) * hour; t < to; t += hour) tick(c, x(t) + 1, h, colour("line"), 0.2);
  c.font = "10px system-ui, sans-serif";
  c.textAlign = "left";
  for (let t = Math.ceil(from / step) * step; t < to; t += step) {
    c.fillStyle = colour("line");
    c.fillRect(Math.round(x(t)), 0, 1, h);
    c.fillStyle = colour("soft");
    const name = t % DAY_MS === 0 ? day(t) : step < MINUTE_MS ? clock(t) : clock(t).slice(0, 5);
    if (x(t) < c.canvas.clientWidth - 50) c.fillText(name, x(t) + 4, 11);
  }
}

function session() {
  const { status, replay } = views;
  put($("session-name"), status?.session ?? "–");
  const rows = [
    ["mode", status?.mode], ["inputs", number(status?.n)], ["facts", number(status?.facts)], ["model", status?.model || "none"],
    ["instruments", number(status?.instruments)], ["reconciled", status?.reconciled ? "yes" : "not yet"], ["note", replay?.note],
  ];
  $("session-facts").replaceChildren(...rows.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", "", name), el("dd", "", value)]));
  const dialog = $("session");
  dialog.querySelector(".close").onclick = () => dialog.close();
  dialog.showModal();
}
