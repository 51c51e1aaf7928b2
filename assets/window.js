// Which prices the ladder and the depth behind it show, and where each lies. Prices stay still: only the trader moves
// the window, or the touch by leaving it.

export const ROW = 17; // px, as in desk.css
const MARGIN = 2; // the touch must stay this many rows inside

export const prices = { list: [], rows: 0, version: 0 };
let name = "";

export function tickAt(units, steps) {
  let tick = 1;
  for (const [above, size] of steps) if (units - 1e-9 > above) tick = size;
  return tick;
}

export function above(units, steps) {
  const tick = tickAt(units, steps);
  return Math.floor(units / tick + 1e-9) * tick + tickAt(units + 1, steps);
}

export function below(units, steps) {
  const tick = tickAt(units, steps);
  return Math.ceil(units / tick - 1e-9) * tick - tick;
}

function middle(view) {
  const [bid, ask] = [view.bids[0]?.[0], view.asks[0]?.[0]];
  if (bid !== undefined && ask !== undefined) return (bid + ask) / 2;
  return bid ?? ask ?? view.mark ?? view.fair;
}

// Put the touch in the middle again.
export function recentre(view) {
  const mid = view && middle(view);
  if (mid === undefined || mid === null) return;
  const tick = tickAt(mid, view.steps);
  let top = Math.ceil(mid / tick - 0.5) * tick;
  for (let i = 0; i < Math.floor(prices.rows / 2) - 1; i++) top = above(top, view.steps);
  from(top, view);
}

// Move the window by whole rows: positive is up, towards higher prices.
export function move(rows, view) {
  let top = prices.list[0];
  for (let i = 0; i < Math.abs(rows); i++) top = rows > 0 ? above(top, view.steps) : below(top, view.steps);
  const floor = Math.max(1, prices.rows / 2);
  if (top > floor) from(top, view);
}

function from(top, view) {
  const list = [];
  for (let units = top; list.length < prices.rows; units = below(units, view.steps)) list.push(units);
  prices.list = list;
  prices.version++;
}

// Follow a new view: another instrument, another height, or a touch that has left the window recentre it.
export function follow(view, height) {
  const rows = Math.max(5, Math.floor(height / ROW));
  const resized = rows !== prices.rows;
  prices.rows = rows;
  if (view.instrument !== name || resized || !prices.list.length || outside(view)) {
    name = view.instrument;
    recentre(view);
  }
}

let strayed = false; // the trader has moved the window away: leave it there

export function stray(view) {
  strayed = outside(view);
}

function outside(view) {
  const mid = middle(view);
  if (mid === undefined || mid === null) return false;
  const list = prices.list;
  const out = mid > list[MARGIN] || mid < list[list.length - 1 - MARGIN];
  if (!out) strayed = false;
  return out && !strayed;
}

// Row of a price, -1 outside the window. Prices fall with the row.
export function rowOf(units) {
  const list = prices.list;
  let [low, high] = [0, list.length - 1];
  while (low <= high) {
    const i = (low + high) >> 1;
    if (list[i] === units) return i;
    if (list[i] > units) low = i + 1;
    else high = i - 1;
  }
  return -1;
}

// Height of any price in px, between rows where it lies between prices; null outside.
export function yOf(units) {
  const list = prices.list;
  const last = list.length - 1;
  if (!list.length || !(units <= list[0] + (list[0] - list[1]) / 2)) return null;
  if (units < list[last] - (list[last - 1] - list[last]) / 2) return null;
  let i = 0;
  while (i < last - 1 && list[i + 1] > units) i++;
  return (i + 0.5 + (list[i] - units) / (list[i] - list[i + 1])) * ROW;
}
