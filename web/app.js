// The pages work without this file; it adds sorting and keeps unfinished lists up to date.

import { site } from "./api.js";

const REFRESH_MILLISECONDS = 5000;

function number(cell) {
  const shown = cell.querySelector(".value") ?? cell;
  const value = parseFloat(shown.textContent.replace("\u2212", "-").replace("+", ""));
  return Number.isNaN(value) ? null : value;
}

const isEmpty = (cell) => ["", "\u2013"].includes(cell.textContent.trim());

function sortBy(table, column, direction) {
  const rows = [...table.tBodies[0].rows];
  const sign = direction === "ascending" ? 1 : -1;
  rows.sort((a, b) => {
    const [x, y] = [a.cells[column], b.cells[column]];
    if (column === 0) return sign * x.textContent.localeCompare(y.textContent);
    // Empty cells stay at the end whichever way the column is sorted.
    if (isEmpty(x) || isEmpty(y)) return isEmpty(x) - isEmpty(y);
    const [u, v] = [number(x), number(y)];
    if (u === null && v === null) return sign * x.textContent.localeCompare(y.textContent);
    // Words come after numbers.
    if (u === null || v === null) return (u === null) - (v === null);
    return sign * (u - v);
  });
  table.tBodies[0].append(...rows);
}

function makeSortable(table) {
  if (table.tBodies[0].rows.length < 2) return;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    if (!head.textContent.trim()) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const direction = head.ariaSort === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.ariaSort = direction;
      sortBy(table, column, direction);
    });
  });
}

// Reloads the page once what the server says at `address` below its first page has changed.
function follow(address) {
  let known = null;
  setInterval(async () => {
    // A choice that has been begun is not taken away.
    if (document.hidden || document.querySelector("input:checked")) return;
    try {
      const response = await fetch(new URL(address, site));
      const text = await response.text();
      if (known !== null && text !== known) location.reload();
      known = text;
    } catch {
      // The server was stopped; the page stays readable, and the next try may succeed.
    }
  }, REFRESH_MILLISECONDS);
}

document.querySelectorAll("table.numbers").forEach(makeSortable);
const live = document.querySelector("[data-follow]");
if (live) follow(live.dataset.follow);
if (document.getElementById("labels")) import("./labels.js");
for (const link of document.querySelectorAll("body > nav a:not(.brand)")) {
  if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
}
