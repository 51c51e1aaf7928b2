// Tables of the blotter: a head, a body, and a caption that says why the body is empty.

import { el, put } from "./dom.js";

export const classOf = (column) => `c-${column.split(" ")[0]}`;

export function table(columns, className) {
  const node = el("table", className);
  const head = el("tr");
  for (const name of columns) head.append(el("th", classOf(name), name));
  node.append((node.empty = el("caption", "empty")), el("thead"), (node.body = el("tbody")));
  node.tHead.append(head);
  return node;
}

export function blank(node, text) {
  put(node.empty, text);
  node.empty.hidden = !text;
}
