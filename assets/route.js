// Which page is shown: the one that the address names. All are one document, so that feed and kill switch stay.

import { $, attr, flag } from "./dom.js";
import { mark } from "./feed.js";

const PAGES = { "/": "desk", "/costs": "costs", "/model": "model" };

export const page = () => PAGES[location.pathname] ?? "desk";

export function start() {
  for (const link of $("pages").children) link.addEventListener("click", (event) => follow(event, link.getAttribute("href")));
  window.addEventListener("popstate", show);
  show();
}

// A click with a modifier opens another tab or window, as the browser has it.
function follow(event, path) {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go(path);
}

export function go(path) {
  if (location.pathname !== path) history.pushState(null, "", path + location.hash);
  show();
}

function show() {
  const name = page();
  for (const other of ["costs", "model"]) {
    flag(document.body, `on-${other}`, name === other);
    $(other).hidden = name !== other;
  }
  for (const link of $("pages").children) {
    if (link.dataset.page === name) attr(link, "aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  mark("page");
}
