// What was decided, line by line, and what went wrong: the numbered notes of the engine, newest first.

import { $, button, el, flag, keyed, put } from "./dom.js";
import { choose, views } from "./feed.js";
import { millis } from "./format.js";

const NOTES_SHOWN = 200;
let seen = 0; // the last alert that was looked at

// Draw the two lists of the blotter, and how many alerts nobody has looked at yet.
export function notes(tab, bodies) {
  const alerts = views.notes.filter((note) => note.level === "warn" || note.level === "bad");
  const fresh = alerts.filter((note) => note.n > seen);
  if (fresh.length && tab !== "alerts") put($("alerts-said"), fresh[fresh.length - 1].text);
  if (tab === "alerts" && alerts.length) seen = alerts[alerts.length - 1].n;
  const badge = $("blotter-tabs").querySelector('[data-tab="alerts"]');
  const count = tab === "alerts" ? 0 : fresh.length;
  put(badge, count ? `alerts ${count}` : "alerts");
  flag(badge, "warn", count);
  if (tab === "decisions") list(bodies.decisions, views.notes, "Nothing has been decided yet.");
  if (tab === "alerts") list(bodies.alerts, alerts, "No alerts.");
}

const GLYPHS = { info: "·", good: "✓", warn: "▲", bad: "■" };

function list(body, all, empty) {
  const shown = all.slice(-NOTES_SHOWN).reverse();
  const items = shown.length ? shown : [{ n: -1, text: empty }];
  keyed(body, items, (note) => `${note.n}:${note.text}`, line, () => {});
}

function line(note) {
  if (note.n < 0) return el("div", "empty", note.text);
  const row = el("div", "note");
  row.dataset.level = note.level;
  row.append(el("span", "time", millis(note.t_ms)), el("span", "glyph", GLYPHS[note.level]), el("span", "who", note.who), el("span", "text", note.text));
  if (note.instrument) row.append(button(note.instrument, "link", () => choose(note.instrument)));
  return row;
}
