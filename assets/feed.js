// The feed: newest view of each topic, drawn in the next animation frame. Nothing here queues but the notes.

const RETRY_MS = [200, 400, 800, 1500];
const SILENCE_MS = 3500; // the server speaks at least once a second
const NOTES_KEPT = 2000;
const TICK_MS = 250;

export const views = { notes: [], link: { page: false, engine: false } };
const dirty = new Set();
const drawings = [];
let socket = null;
let tries = 0;
let heard = 0;
let pending = 0;
let noted = null; // up to where the notes have come, as the server counts them
let chosen = "";
let anchor = { ms: Date.now(), at: performance.now(), rate: 0 };

// How long a frame took from the socket to the paint; a benchmark may read it.
export const paints = [];

// Draw when any of these topics has a newer view: status, ladder, gauges, surface, desk, replay, chain, notes, link,
// instrument (another one is looked at), tick (four times a second).
export function when(topics, draw) {
  drawings.push({ topics, draw });
  for (const topic of topics) mark(topic);
}

export function mark(topic) {
  dirty.add(topic);
  if (!pending) pending = requestAnimationFrame(paint);
}

function paint() {
  pending = 0;
  const now = new Set(dirty);
  dirty.clear();
  for (const { topics, draw } of drawings) {
    if (!topics.some((topic) => now.has(topic))) continue;
    try {
      draw();
    } catch (error) {
      console.error(error); // one broken drawing must not stop the others
    }
  }
  if (heard && now.has("ladder")) {
    if (paints.push(performance.now() - heard) > 400) paints.shift();
  }
}

// The desk's time, ms UTC: the engine's clock, carried on between its words; a replay's stands when it does.
export const now = () => anchor.ms + (performance.now() - anchor.at) * anchor.rate;

export const instrument = () => chosen;

export const picked = { code: "" }; // the expiry whose smile is drawn below

// The put of a call, the call of a put, if it is listed.
export function twin(name) {
  const other = name.endsWith("C") ? `${name.slice(0, -1)}P` : name.endsWith("P") ? `${name.slice(0, -1)}C` : "";
  const chain = views.chain;
  if (!other || !chain) return "";
  chain.names ??= new Set(chain.instruments.map(([one]) => one));
  return chain.names.has(other) ? other : "";
}

export function choose(name) {
  if (!name || name === chosen) return;
  chosen = name;
  views.ladder = views.gauges = undefined;
  history.replaceState(null, "", `#${name}`);
  say({ look: name });
  mark("instrument");
  mark("ladder");
  mark("gauges");
}

function say(word) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(word));
}

function take(view) {
  switch (view.type) {
    case "note":
      return note(view);
    case "ladder":
    case "gauges":
      if (view.instrument !== chosen) return;
      break;
    case "status":
      carry(view, views.replay);
      break;
    case "replay":
      if (views.status) carry({ ...views.status, now_ms: view.now_ms }, view);
  }
  views[view.type] = view;
  mark(view.type);
}

function carry(status, replay) {
  const rate = status.mode !== "replay" ? 1 : replay?.playing ? replay.speed : 0;
  anchor = { ms: status.now_ms, at: performance.now(), rate };
}

// Notes must not be lost: each frame says after which its own come. Other than expected: have them told again.
function notesFollow([from, to]) {
  if (from === 0) views.notes = [];
  else if (noted !== null && from > noted) say({ recall: views.notes.at(-1)?.n ?? 0 });
  if (from === 0 || noted === null || from <= noted) noted = to;
}

function note(view) {
  const notes = views.notes;
  while (notes.length && notes.at(-1).n >= view.n) notes.pop(); // told again
  notes.push(view);
  if (notes.length > NOTES_KEPT) notes.splice(0, notes.length - NOTES_KEPT);
  mark("notes");
}

function link(page, engine) {
  if (views.link.page === page && views.link.engine === engine) return;
  views.link = { page, engine };
  mark("link");
}

function open() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/feed`);
  socket.onopen = () => {
    tries = 0;
    heard = performance.now();
    if (chosen) say({ look: chosen });
    say({ hidden: document.hidden });
    noted = null;
  };
  socket.onmessage = (event) => {
    heard = performance.now();
    const frame = JSON.parse(event.data);
    link(true, frame.engine);
    notesFollow(frame.noted);
    for (const view of frame.views) take(view);
  };
  socket.onclose = () => {
    link(false, false);
    setTimeout(open, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
  };
}

export function start() {
  open();
  document.addEventListener("visibilitychange", () => say({ hidden: document.hidden }));
  setInterval(() => {
    mark("tick");
    if (socket.readyState === WebSocket.OPEN && performance.now() - heard > SILENCE_MS && !document.hidden) socket.close();
  }, TICK_MS);
}
