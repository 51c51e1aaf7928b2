// What the picture's colours and marks mean, with values, in one line below it. Always there: nothing jumps.

import { $, el } from "./dom.js";
import { number } from "./format.js";

let written = "";

// `items`: { ramp: "iv" | "change", texts: [low, middle, high] } or { mark: a class, text, title }.
export function legend(items) {
  const key = JSON.stringify(items);
  if (key === written) return;
  written = key;
  $("surface-scale").replaceChildren(...items.map((item) => (item.ramp ? bar(item) : mark(item))));
}

// Low, middle and high of a scale of IVs, per cent, as fine as they are apart.
export function ramp(low, high) {
  const digits = high - low < 3 ? 1 : 0;
  return [number(low, digits), number((low + high) / 2, digits), `${number(high, digits)} %`];
}

function bar({ ramp: kind, texts, title = "" }) {
  const [low, middle, high] = texts;
  const node = el("span", "scale");
  node.title = title;
  node.append(el("span", "", low), el("i", `ramp ${kind}`), el("span", "", middle), el("i", `ramp ${kind} upper`), el("span", "", high));
  return node;
}

function mark({ mark: name, text, title = "" }) {
  const node = el("span", "key");
  node.title = title;
  if (name) node.append(el("i", `swatch ${name}`));
  node.append(text);
  return node;
}
