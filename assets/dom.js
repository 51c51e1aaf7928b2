// The few things done to the page's elements. Data is only ever set as text, never as markup.

export const $ = (id) => document.getElementById(id);

export function el(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}

// Write text only when it differs from what was written last: most of a desk does not change from frame to frame.
export function put(node, text) {
  if (node.said === text) return false;
  node.said = text;
  node.textContent = text;
  return true;
}

export function attr(node, name, value) {
  const text = String(value);
  if (node.getAttribute(name) !== text) node.setAttribute(name, text);
}

export const flag = (node, name, on) => node.classList.toggle(name, Boolean(on));

export function button(text, className, press, title = "") {
  const node = el("button", className, text);
  node.type = "button";
  if (title) node.title = title;
  node.addEventListener("click", press);
  return node;
}

// Make the children of `parent` match `items` by key, keeping the elements of those that stay (and their focus).
export function keyed(parent, items, key, make, fill) {
  const have = (parent.byKey ??= new Map());
  const want = new Set();
  let after = null;
  for (const item of items) {
    const id = key(item);
    want.add(id);
    let row = have.get(id);
    if (!row) have.set(id, (row = make(item)));
    const place = after ? after.nextSibling : parent.firstChild;
    if (place !== row) parent.insertBefore(row, place);
    fill(row, item);
    after = row;
  }
  for (const [id, row] of have) {
    if (want.has(id)) continue;
    row.remove();
    have.delete(id);
  }
}

// A canvas that knows its size: `size()` gives a context in CSS pixels, sharp on any screen.
export function surfaceOf(canvas, resized) {
  const box = { w: 0, h: 0 };
  new ResizeObserver(([entry]) => {
    box.w = Math.floor(entry.contentRect.width);
    box.h = Math.floor(entry.contentRect.height);
    resized?.();
  }).observe(canvas.parentElement);
  const context = canvas.getContext("2d");
  return () => {
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(box.w * scale), Math.round(box.h * scale)];
    if (canvas.width !== width || canvas.height !== height) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = `${box.w}px`;
      canvas.style.height = `${box.h}px`;
    }
    context.setTransform(scale, 0, 0, scale, 0, 0);
    return { c: context, w: box.w, h: box.h, scale };
  };
}

const root = getComputedStyle(document.documentElement);
const known = new Map();

export function colour(name) {
  if (!known.has(name)) known.set(name, root.getPropertyValue(`--${name}`).trim() || "#888");
  return known.get(name);
}

export const typing = (event) => /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.type !== "radio";
