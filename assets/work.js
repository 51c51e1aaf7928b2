// Training and comparing: the engine runs its own command, one at a time; here it is begun, watched and ended.

import { work } from "./command.js";
import { $, attr, button, el, flag, put } from "./dom.js";
import { views, when } from "./feed.js";
import { percent, span } from "./format.js";
import { say } from "./heads.js";
import * as losses from "./losses.js";
import { pick, readOnly, shown } from "./registry.js";
import { chosenTab, tabsOf } from "./tabs.js";

const SIZES = { train: { sessions: 42, minutes: 6.2 }, compare: { sessions: 3, minutes: 10 } };
const STATES = { running: "running", ending: "ending…", done: "done", failed: "failed", cancelled: "cancelled" };
const LOOKS = { running: "warming", ending: "drift", done: "edge", failed: "failed", cancelled: "drift" };
const LOG = 7; // lines that are shown
const form = {};
const parts = {};

export function start() {
  build();
  losses.start();
  tabsOf("work", () => (fresh(), draw()));
  when(["job", "models", "picked", "status", "link", "tick"], draw);
}

// ---------------------------------------------------------------- the form

function build() {
  form.first = field("work-first", "model", el("select"));
  form.second = field("work-second", "against", el("select"));
  form.sessions = field("work-sessions", "sessions", entry(1, 500, 1));
  form.minutes = field("work-minutes", "minutes each", entry(0.1, 240, 0.1));
  form.begin = el("button", "send", "begin");
  form.begin.id = "work-begin";
  form.said = el("p", "outcome");
  form.said.id = "work-said";
  attr(form.said, "role", "status");
  $("work-form").append(form.begin, form.said);
  $("work-form").addEventListener("submit", (event) => (event.preventDefault(), begin()));
  parts.state = el("span", "verdict");
  parts.title = el("div", "title");
  parts.passed = el("span", "dim");
  parts.end = button("cancel", "quiet boxed", end);
  parts.end.id = "work-end";
  parts.bar = el("div", "track");
  parts.fill = el("i", "fill");
  parts.bar.append(parts.fill);
  attr(parts.bar, "role", "progressbar");
  attr(parts.bar, "aria-label", "share of this stage that is done");
  parts.stage = el("div", "stage");
  parts.log = el("ol", "log");
  const line = el("div", "line");
  line.append(parts.state, parts.title, parts.passed, parts.end);
  $("work-progress").append(line, parts.bar, parts.stage, parts.log);
  fresh();
}

function field(id, caption, input) {
  input.id = id;
  const label = el("label", "", caption);
  label.htmlFor = id;
  $("work-form").append(label, input);
  input.label = label;
  return input;
}

function entry(min, max, step) {
  const input = el("input");
  Object.assign(input, { type: "number", min, max, step, required: true });
  return input;
}

// The sizes that the commands take by themselves.
function fresh() {
  const size = SIZES[chosenTab("work")];
  form.sessions.value = size.sessions;
  form.minutes.value = size.minutes;
}

function choices(select, wanted) {
  const names = (views.models?.models ?? []).filter((row) => !row.bad).map((row) => row.id);
  if (select.names === names.join()) return;
  select.names = names.join();
  const before = select.value;
  select.replaceChildren(...names.map((name) => Object.assign(el("option", "", name), { value: name })));
  select.value = names.includes(before) ? before : names.includes(wanted) ? wanted : (names[0] ?? "");
}

async function begin() {
  const size = { sessions: Number(form.sessions.value), minutes: Number(form.minutes.value) };
  const job = chosenTab("work") === "train" ? { do: "train", ...size } : { do: "compare", first: form.first.value, second: form.second.value, ...size };
  await send(form.begin, job);
}

async function end() {
  await send(parts.end, { do: "end" });
}

async function send(node, job) {
  node.disabled = true;
  const answer = await work(job);
  say(form.said, answer.ok ? "" : answer.text, "bad");
  node.disabled = false;
  draw();
}

// ---------------------------------------------------------------- what is shown

let followed = "";

function draw() {
  const comparing = chosenTab("work") === "compare";
  for (const input of [form.first, form.second]) input.hidden = input.label.hidden = !comparing;
  form.sessions.label.title = comparing ? "fresh ones, on which neither was trained" : "simulated, through the crowd's regimes in turn";
  const [one, champion] = [shown(), views.models?.models.find((row) => row.champion)];
  choices(form.first, one?.id);
  choices(form.second, champion?.id);
  if (one && followed !== one.id && !one.bad) form.first.value = followed = one.id;
  const job = views.job;
  const running = job?.state === "running" || job?.state === "ending";
  form.begin.disabled = readOnly() || running || (comparing && form.first.value === form.second.value);
  put(form.begin, running ? "one at a time" : comparing ? "compare them" : "train a candidate");
  form.begin.title = comparing && form.first.value === form.second.value ? "choose two models" : "";
  progress(job, running);
  losses.draw(job);
}

function progress(job, running) {
  flag($("work-progress"), "idle", !job?.id);
  parts.end.hidden = !running;
  if (!parts.end.hidden) parts.end.disabled = job.state === "ending" || readOnly();
  if (!job?.id) {
    for (const node of [parts.state, parts.passed]) put(node, "");
    put(parts.title, views.status?.mode === "replay" ? "a replay trains nothing" : "nothing runs");
    put(parts.stage, "The engine's own commands, run beside it and yielding to it. A training adds a candidate; nothing is promoted by itself.");
    parts.bar.hidden = true;
    parts.log.replaceChildren();
    return;
  }
  const passed = span((job.ended_ms ?? Math.max(Date.now(), job.began_ms)) - job.began_ms);
  put(parts.state, STATES[job.state]);
  attr(parts.state, "data-verdict", LOOKS[job.state]);
  put(parts.title, job.title);
  parts.title.title = job.title;
  put(parts.passed, `${passed}, ${job.by}`);
  parts.bar.hidden = !running;
  flag(parts.bar, "unsure", job.share === null);
  parts.fill.style.width = percent(job.share ?? 1, 1).replace(" ", "");
  if (job.share === null) parts.bar.removeAttribute("aria-valuenow");
  else attr(parts.bar, "aria-valuenow", Math.round(100 * job.share));
  outcome(job);
  const lines = job.lines.slice(-LOG - 1, running ? -1 : undefined).slice(-LOG);
  parts.log.replaceChildren(...lines.map((text) => el("li", "", text)));
}

function outcome(job) {
  const words = {
    failed: job.reason,
    cancelled: job.do === "train" ? "ended; what it has simulated and learned waits in the data folder to be gone on with" : "ended",
    done: job.model ? `${job.model} is kept as a candidate` : "the comparison stands above",
  };
  say(parts.stage, words[job.state] ?? job.stage, job.state === "failed" ? "bad" : "");
  if (job.state === "done" && job.model && parts.added !== job.id) {
    parts.added = job.id;
    pick(job.model);
  }
}
