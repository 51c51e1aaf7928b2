// What a panel must say before anything it shows: the feed is lost, the book stale, the desk halted, this is a replay.

import { $, attr, flag, put } from "./dom.js";
import { now, views, when } from "./feed.js";

const PANELS = ["surface", "ladder", "ticket", "proposals", "blotter", "progress"];
const MODEL = ["models", "history", "scores", "calibration", "skill", "work"];
const TRADING = ["ticket", "proposals", "ladder"];
const MARKET = ["surface", ...TRADING];
const GRACE_MS = 2500; // a page that has just been opened is not cut off yet
const OLD_MS = 5000; // a surface comes twice a second
const NARROW = new Set(["surface", "proposals", "progress", "history", "calibration", "skill"]);

export function start() {
  when(["status", "link", "ladder", "instrument"], draw);
}

function draw() {
  const said = alarms();
  for (const name of [...PANELS, ...MODEL]) {
    const panel = $(`panel-${name}`);
    const banner = panel.querySelector(".banner");
    const alarm = said.find((one) => one.panels.includes(name));
    const words = !alarm ? "" : NARROW.has(name) ? `${alarm.mark} ${alarm.short}` : `${alarm.mark} ${alarm.long}`;
    put(banner, words);
    attr(panel, "data-alarm", alarm?.level ?? "");
    banner.title = alarm?.long ?? "";
  }
  flag($("panel-ladder"), "doubtful", views.ladder?.stale || !views.link.engine || views.status?.feed === "down");
}

const MARKS = { bad: "■", warn: "▲", info: "◂" };

// All that is wrong now, the gravest first; a panel shows the first that concerns it.
function alarms() {
  const { status, link, ladder } = views;
  const said = [];
  const add = (level, panels, short, more = "") =>
    said.push({ level, panels, mark: MARKS[level], short, long: more ? `${short}: ${more}` : short });
  if (!link.page && performance.now() < GRACE_MS) return said;
  if (!link.page) add("bad", [...PANELS, ...MODEL], "no connection", "the page's server is away; last confirmed state");
  else if (!link.engine) add("bad", [...PANELS, ...MODEL], "engine away", "it does not answer; last confirmed state");
  if (status?.killed) add("bad", TRADING, "killed", status.killed.replace(/^killed /, ""));
  if (status?.halted) add("bad", TRADING, "halted", status.halted);
  if (status?.feed === "down") add("bad", MARKET, "feed down", "the venue cannot be heard");
  if (ladder?.stale) add("warn", ["ladder"], "stale book", ladder.stale);
  else if (ladder?.state && ladder.state !== "open") add("warn", ["ladder", "ticket"], `${ladder.state} at the venue`);
  if (status?.feed === "stale") add("warn", MARKET, "feed stale", "the venue has gone quiet");
  surface(add, status, views.surface);
  if (status && !status.reconciled && status.mode !== "replay") add("warn", ["ticket", "proposals"], "reconciling with the venue");
  if (status?.mode === "replay") add("info", ["ticket", "proposals"], "replay: nothing is sent");
  return said;
}

// Of the surface alone: it has stopped coming, or the venue has shut some of its options.
function surface(add, status, view) {
  if (!view) return;
  const late = status && status.mode !== "replay" ? now() - view.t_ms : 0;
  if (late > OLD_MS) add("warn", ["surface"], `${Math.round(late / 1000)} s old`, "the surface has stopped coming");
  view.shut ??= view.smiles.flatMap((smile) => smile.points).filter((point) => point.state && point.state !== "open").length;
  if (view.shut) add("warn", ["surface"], `${view.shut} not open`, "options that the venue has shut are in no fit");
}
