// What a panel must say before anything it shows: the feed is lost, the book stale, the desk halted, this is a replay.

import { $, attr, put } from "./dom.js";
import { views, when } from "./feed.js";

const PANELS = ["surface", "ladder", "ticket", "proposals", "blotter", "progress"];
const TRADING = ["ticket", "proposals", "ladder"];

export function start() {
  when(["status", "link", "ladder", "instrument"], draw);
}

function draw() {
  const said = alarms();
  for (const name of PANELS) {
    const panel = $(`panel-${name}`);
    const alarm = said.find((one) => one.panels.includes(name));
    put(panel.querySelector(".banner"), alarm?.text ?? "");
    attr(panel, "data-alarm", alarm?.level ?? "");
    panel.querySelector(".banner").title = alarm?.text ?? "";
  }
}

// All that is wrong now, the gravest first; a panel shows the first that concerns it.
function alarms() {
  const { status, link, ladder } = views;
  const said = [];
  const add = (level, text, panels) => said.push({ level, text, panels });
  if (!link.page) add("bad", "■ no connection to the desk: last state shown", PANELS);
  else if (!link.engine) add("bad", "■ the engine does not answer: confirmed state only", PANELS);
  if (status?.killed) add("bad", `■ killed: ${status.killed}`, TRADING);
  if (status?.halted) add("bad", `■ halted: ${status.halted}`, TRADING);
  if (status?.feed === "down") add("bad", "■ the venue's feed is down", ["surface", ...TRADING]);
  if (ladder?.stale) add("warn", `▲ stale book: ${ladder.stale}`, ["ladder"]);
  else if (ladder && ladder.state && ladder.state !== "open") add("warn", `▲ ${ladder.state} at the venue`, ["ladder", "ticket"]);
  if (status?.feed === "stale") add("warn", "▲ the venue's feed is stale", ["surface", ...TRADING]);
  if (status && !status.reconciled && status.mode !== "replay") add("warn", "▲ reconciling with the venue", ["ticket", "proposals"]);
  if (status?.mode === "replay") add("info", "◂ replay: nothing can be sent", ["ticket", "proposals"]);
  return said;
}
