// The list of jobs, and the form that makes a new one from a strategy's keys and their bounds.

import { fetchJson, showButtons, site, stateWords } from "./api.js";

const REFRESH_MILLISECONDS = 2000;
/** Jobs that are listed; older ones are in the list of runs. */
const LISTED = 100;

const place = (id) => document.getElementById(id);
const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

// The list

const list = place("jobs");
const rows = new Map();

function link(job) {
  const name = make("a", { href: `${site}runs/${encodeURIComponent(job.run)}`, textContent: job.name ?? job.run });
  return [name, make("br"), make("small", { textContent: job.run })];
}

function rowOf(job) {
  if (!rows.has(job.run)) {
    const row = make("tr", {}, make("th", { scope: "row" }, ...link(job)), make("td"), make("td"), make("td", {},
      make("progress", { max: 1 }), " ", make("small")), make("td", { className: "time" }), make("td", { className: "actions" }));
    row.dataset.run = job.run;
    rows.set(job.run, row);
  }
  return rows.get(job.run);
}

function progressWords({ trained, trainings, progress, state }) {
  if (state === "finished" || trainings === 0) return "";
  return `${trained} of ${trainings} trained, ${Math.floor(100 * progress)} %`;
}

function showJob(job) {
  const row = rowOf(job);
  const [, command, state, progress, queued, actions] = row.cells;
  const write = (element, words) => {
    if (element.textContent !== words) element.textContent = words;
  };
  write(command, (job.command ?? "").replace("_", " "));
  write(state, stateWords(job));
  state.className = `state-${job.state}`;
  const bar = progress.firstChild;
  bar.value = job.state === "finished" ? 1 : job.progress;
  bar.hidden = job.trainings === 0 && job.state !== "finished";
  bar.setAttribute("aria-label", `Trainings of ${job.name ?? job.run} done`);
  write(progress.lastChild, progressWords(job));
  write(queued, job.created ? new Date(job.created).toLocaleString("sv") : "by the command line");
  showButtons(actions, job, refresh, ({ message }) => say(message));
  return row;
}

function say(message) {
  const status = place("jobs-state");
  if (status.textContent !== message) status.textContent = message;
  status.hidden = message === "";
}

let asked = 0;

async function refresh() {
  const mine = ++asked;
  try {
    const { jobs } = await fetchJson("api/v1/jobs");
    if (mine !== asked) return;
    const shown = jobs.slice(0, LISTED).map(showJob);
    const body = list.tBodies[0];
    // Rows that stay where they are keep the focus that is in them.
    if (shown.length !== body.rows.length || shown.some((row, at) => row !== body.rows[at])) body.replaceChildren(...shown);
    list.parentElement.hidden = jobs.length === 0;
    say(jobs.length === 0 ? "No jobs yet. The form below makes one." : "");
  } catch ({ message }) {
    if (mine === asked) say(`${message} Trying again.`);
  }
}

setInterval(() => document.hidden || refresh(), REFRESH_MILLISECONDS);
document.addEventListener("visibilitychange", () => document.hidden || refresh());
refresh();

// The form

const form = place("new-job");
const { elements } = form;
const GROUPS = ["market", "contract", "costs", "risk", "policy", "training", "optimizers", "evaluation", "backtest"];
const OPEN = ["strategy", "market", "contract", "costs", "risk", "training"];
let fields = [];

/** The bound of a field in numbers: `in (-1, 1]` excludes -1, `positive` 0. */
function limits(bound) {
  const interval = /^in ([[(])(\S+), (\S+)([\])])$/.exec(bound ?? "");
  if (interval) {
    const [, open, low, high, close] = interval;
    return { min: Number(low), max: Number(high), excluded: [open === "(" && Number(low), close === ")" && Number(high)] };
  }
  const least = /^at least (\S+)$/.exec(bound ?? "");
  if (least) return { min: Number(least[1]), excluded: [] };
  return bound === "positive" ? { min: 0, excluded: [0] } : { excluded: [] };
}

function numberInput({ kind, value, bound }) {
  const input = make("input", { type: "number", step: kind === "integer" ? "1" : "any", value });
  const { min, max, excluded } = limits(bound);
  if (min !== undefined) input.min = min;
  if (max !== undefined) input.max = max;
  input.addEventListener("input", () => {
    const out = input.value !== "" && excluded.includes(input.valueAsNumber);
    input.setCustomValidity(out ? `Must be ${bound}.` : "");
  });
  return input;
}

function inputOf(field) {
  const { kind, value, choices } = field;
  if (kind === "boolean") return make("input", { type: "checkbox", checked: value });
  if (choices.length > 1 && kind === "text") {
    return make("select", {}, ...choices.map((name) => new Option(name, name, false, name === value)));
  }
  if (kind === "integer" || kind === "number") return numberInput(field);
  return make("input", { type: "text", value: kind === "list" ? value.join(", ") : value, autocomplete: "off" });
}

function valueOf({ kind, choices, input }) {
  if (kind === "boolean") return input.checked;
  const text = input.value.trim();
  if (text === "") return null;
  if (kind === "list") {
    const items = text.split(",").map((item) => item.trim());
    return items.map((item) => (item !== "" && Number.isFinite(Number(item)) ? Number(item) : item));
  }
  if (kind === "integer" || kind === "number") return input.valueAsNumber;
  // A name that stands for a number may be a number.
  return choices.length === 1 && Number.isFinite(Number(text)) ? Number(text) : text;
}

const values = () => Object.fromEntries(fields.map((field) => [field.key, valueOf(field)]).filter(([, value]) => value !== null));

function hintOf({ kind, bound, choices }) {
  if (kind === "list") return "with commas";
  if (choices.length > 0) return choices.length === 1 ? `${choices[0]} or a number` : "";
  return bound === "finite" ? "" : (bound ?? "");
}

function labelled(field) {
  const { key } = field;
  const words = key.split(".").at(-1).replaceAll("_", " ");
  const input = inputOf(field);
  input.name = key;
  Object.assign(field, { input, message: make("span", { className: "problem", id: `problem-${key}` }) });
  input.setAttribute("aria-describedby", `problem-${key}`);
  input.addEventListener("input", () => mark(field, ""));
  return make("label", { className: "field" }, make("span", { textContent: words }), input,
    make("small", { textContent: hintOf(field) }), field.message);
}

function mark({ input, message }, words) {
  message.textContent = words;
  if (words) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
}

/** The group of a key: its first name, and of an optimizer's keys the first two. */
function groupOf(key) {
  const names = key.split(".");
  if (names.length === 1) return "strategy";
  return names[0] === "optimizers" ? `optimizers.${names[1]}` : names[0];
}

function showForm(answer) {
  fields = answer.fields.map((field) => ({ ...field }));
  elements.strategy.value = answer.strategy;
  const groups = new Map();
  for (const field of fields) {
    const group = groupOf(field.key);
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push(field);
  }
  const rank = (group) => (group === "strategy" ? -1 : (GROUPS.indexOf(group.split(".")[0]) + 1 || 99));
  const sorted = [...groups].sort(([a], [b]) => rank(a) - rank(b));
  place("fields").replaceChildren(...sorted.map(([group, of]) => make("details", { open: OPEN.includes(group) },
    make("summary", { textContent: group.replace(".", ": ") }), make("div", { className: "fields" }, ...of.map(labelled)))));
  const names = sorted.filter(([group]) => group.startsWith("optimizers.")).map(([group]) => group.slice("optimizers.".length));
  elements.optimizer.replaceChildren(...names.map((name) => new Option(name, name, false, name === "kfac")));
}

function showProblem({ message, field }) {
  // What is wrong with an item of a list is shown beside the list.
  const at = edited() === "form" && fields.find(({ key }) => key === field?.replace(/\[\d+\]$/, ""));
  place("problem").textContent = at ? "" : message;
  if (at) {
    mark(at, message);
    at.input.closest("details").open = true;
    at.input.focus();
  } else if (field && elements[field] instanceof HTMLElement) {
    elements[field].focus();
  }
}

function clear() {
  place("problem").textContent = "";
  place("added").textContent = "";
  fields.forEach((field) => mark(field, ""));
}

const edited = () => elements.edited.value;

function showEdited(how) {
  elements.edited.value = how;
  place("fields").hidden = how !== "form";
  place("text").hidden = how !== "text";
}

const given = () => (edited() === "form" ? { fields: values() } : { strategy: elements.strategy.value });

/** Fills the form with what the server makes of a strategy; true if it took it. */
async function read(asking) {
  clear();
  try {
    showForm(await asking);
    return true;
  } catch (error) {
    showProblem(error);
    return false;
  }
}

function showCommand() {
  for (const element of form.querySelectorAll("[data-for]")) {
    const wanted = element.dataset.for.split(" ").includes(elements.command.value);
    element.hidden = !wanted;
    // What is not asked for is not checked either.
    for (const input of element.matches("label") ? element.querySelectorAll("input, select") : []) input.disabled = !wanted;
  }
  for (const { input } of fields) input.disabled = elements.command.value === "backtest" || edited() !== "form";
}

async function offerRuns() {
  const { runs } = await fetchJson("api/v1/runs?state=complete&per_page=500");
  elements.run.replaceChildren(...runs.map(({ run, name }) => new Option(`${name}, ${run}`, run)));
}

function asking() {
  const command = elements.command.value;
  if (command === "backtest") return { command, run: elements.run.value };
  if (command === "walk_forward") return { command, ...given() };
  if (command === "train") return { command, optimizer: elements.optimizer.value, ...given() };
  return { command, seeds: elements.seeds.valueAsNumber, ...given() };
}

elements.shipped.addEventListener("change", async () => {
  elements.file.value = "";
  await read(fetchJson(`api/v1/strategy/form?strategy=${encodeURIComponent(elements.shipped.value)}`));
  showCommand();
});
elements.file.addEventListener("change", async () => {
  const [file] = elements.file.files;
  if (!file) return;
  elements.strategy.value = await file.text();
  showEdited("text");
  // A file with a mistake stays in sight, to be mended.
  if (await read(fetchJson("api/v1/strategy/form", { strategy: elements.strategy.value }))) showEdited("form");
  showCommand();
});
for (const radio of elements.edited) {
  radio.addEventListener("change", async () => {
    const how = edited();
    const before = how === "form" ? "text" : "form";
    elements.edited.value = before;
    if (await read(fetchJson("api/v1/strategy/form", given()))) showEdited(how);
    showCommand();
  });
}
for (const radio of elements.command) {
  radio.addEventListener("change", async () => {
    clear();
    showCommand();
    if (radio.value === "backtest") await offerRuns().catch(showProblem);
  });
}
// A field that is at fault can only be shown where it is in sight.
form.addEventListener("invalid", ({ target }) => {
  const details = target.closest("details");
  if (details) details.open = true;
}, true);
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  clear();
  const button = form.querySelector("button:not([type])");
  button.disabled = true;
  try {
    const job = await fetchJson("api/v1/jobs", asking());
    const [name] = link(job);
    place("added").replaceChildren("Added: ", name, ".");
    refresh();
  } catch (error) {
    showProblem(error);
  } finally {
    button.disabled = false;
  }
});
read(fetchJson(`api/v1/strategy/form?strategy=${encodeURIComponent(elements.shipped.value)}`)).then(showCommand);
