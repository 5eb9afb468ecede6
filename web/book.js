// The page of a book: asks what the policies of a run hold against it, and shows the answer.

import { fetchJson, make, site } from "./api.js";
import { download, draw, money } from "./charts.js";

const place = (id) => document.getElementById(id);
const form = place("ask");
const problem = form.querySelector("[role=alert]");
const slots = [...document.querySelectorAll("#what-if .chart")];
const address = `api/v1/runs/${encodeURIComponent(form.dataset.run)}/hedge`;

/** Contracts that are shown; the file has all of them. */
const SHOWN = 500;
/** Moves of the spot in a chart. */
const MOVES = 21;

/** The moves between `-most` and `most` percent, as fractions. */
function moves(most) {
  if (!(most > 0)) return [];
  const middle = (MOVES - 1) / 2;
  return Array.from({ length: MOVES }, (_, index) => (most * (index - middle)) / middle / 100);
}

/** The question that the form asks. */
async function question() {
  const { file, text, prices, date, optimizer, disagreement, moves: most, force } = form.elements;
  const written = file.files.length > 0 ? await file.files[0].text() : text.value;
  if (written.trim() === "") throw new Error("Give a book: a file, or its text.");
  const asked = { book: { text: written }, force: force.checked, figures: true, what_if: moves(most.valueAsNumber) };
  if (prices.value) asked.data = { files: [prices.value] };
  if (date.value) asked.date = date.value;
  if (optimizer.value) asked.optimizer = optimizer.value;
  if (disagreement.value !== "") asked.disagreement = disagreement.valueAsNumber;
  return asked;
}

const shown = (value) => (value === undefined || value === null ? "" : money(value));

/** Fills a table; the first cell of a row is its head. */
function fill(id, heads, rows) {
  const table = place(id);
  table.tHead.rows[0].replaceChildren(...heads.map((head) => make("th", { scope: "col", textContent: head })));
  table.tBodies[0].replaceChildren(...rows.map(([head, ...cells]) => make(
    "tr", {},
    make("th", { scope: "row", textContent: head }),
    ...cells.map((cell) => make("td", { textContent: cell })),
  )));
}

function contracts({ contracts: all, instruments, windows }) {
  const alone = instruments.length === 1;
  const each = ["hold", "trade", "cost", "benchmark", "spread"];
  const terms = Object.keys(all[0]?.terms ?? {});
  const named = terms.map((name) => name.replaceAll("_", " "));
  const heads = ["id", "sold", "expiry", ...named, ...(windows ? ["window"] : []), "date", "quantity", "value", "delta"];
  for (const name of instruments) heads.push(...each.map((what) => (alone ? what : `${what} ${name.replaceAll("_", " ")}`)));
  heads.push("held by");
  const rows = all.slice(0, SHOWN).map((one) => [
    one.id, one.sold, one.expiry, ...terms.map((name) => shown(one.terms[name])), ...(windows ? [one.window] : []), `${one.hedging_date.join("/")} ${one.standing}`,
    shown(one.quantity), shown(one.value?.price), shown(one.value?.delta),
    ...one.positions.flatMap(({ position, trade, cost, benchmark, spread }) => [position, trade, cost, benchmark, spread].map(shown)),
    one.held_by,
  ]);
  fill("contracts", heads, rows);
}

function net({ net: all }) {
  const heads = ["instrument", "price", "hold", "held", "trade", "cost", "cost of separate trades", "benchmark"];
  fill("net", heads, all.map((one) => [
    one.instrument,
    ...[one.price, one.position, one.held, one.trade, one.cost, one.cost_separate, one.benchmark].map(shown),
  ]));
}

function said({ date, optimizer, seeds, chosen, benchmark, contracts: all }) {
  const counted = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;
  const beside = benchmark ? `; benchmark ${benchmark}` : "";
  const more = all.length > SHOWN ? `; ${SHOWN} are shown` : "";
  return `${date}: ${counted(all.length, "contract")}${more}; ${optimizer}, ${counted(seeds.length, "seed")} (${chosen})${beside}`;
}

async function show(answer) {
  place("warnings").replaceChildren(...answer.warnings.map((warning) => make("li", { textContent: warning })));
  place("said").textContent = said(answer);
  contracts(answer);
  net(answer);
  place("hedged").hidden = false;
  place("what-if").hidden = answer.figures.length === 0;
  slots.forEach((slot, index) => { slot.parentElement.hidden = index >= answer.figures.length; });
  await Promise.all(answer.figures.slice(0, slots.length).map((figure, index) => draw(slots[index], figure)));
}

/** What was answered last, to be asked for as a file. */
let answered = null;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.textContent = "";
  form.setAttribute("aria-busy", "true");
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const asked = await question();
    await show(await fetchJson(address, asked));
    answered = asked;
  } catch ({ message }) {
    problem.textContent = message;
    place("hedged").hidden = true;
  } finally {
    form.removeAttribute("aria-busy");
    button.disabled = false;
  }
});

place("download").addEventListener("click", async () => {
  try {
    const response = await fetch(new URL(address, site), {
      method: "POST",
      headers: { accept: "text/csv", "content-type": "application/json" },
      body: JSON.stringify(answered),
    });
    if (!response.ok) throw new Error(`The server answered ${response.status}.`);
    download(`${form.dataset.run}-book.csv`, await response.text());
  } catch ({ message }) {
    problem.textContent = message;
  }
});
