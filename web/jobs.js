// The list of jobs, and the form that makes a new one.

import { fetchJson, hasPolicies, make, showButtons, site, stateWords } from "./api.js";
import { offerNotifications } from "./notify.js";
import { clearMarks, enable, mark, show, values, whenDecided } from "./form.js";

const REFRESH_MILLISECONDS = 2000;
/** Jobs that are listed; older ones are in the list of runs. */
const LISTED = 100;

const place = (id) => document.getElementById(id);

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

function progressWords({ trained, trainings, progress, measured, state }) {
  if (state === "finished" || trainings === 0) return "";
  if (state === "running" && measured !== null) return `all trained; measuring, ${Math.floor(100 * measured)} %`;
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
  bar.value = job.state === "finished" ? 1 : job.measured ?? job.progress;
  bar.hidden = job.trainings === 0 && job.state !== "finished";
  bar.setAttribute("aria-label", `${job.measured === null ? "Trainings" : "Measuring"} of ${job.name ?? job.run} done`);
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
const listed = refresh();

// The form

const form = place("new-job");
const { elements } = form;

function showForm(answer) {
  elements.strategy.value = answer.strategy;
  show(place("fields"), answer.sections);
  const names = answer.sections.map(({ name }) => /^optimizers\.(.*)$/.exec(name)?.[1]).filter(Boolean);
  elements.optimizer.replaceChildren(...names.map((name) => new Option(name, name, false, name === "kfac")));
}

function showProblem({ message, field }) {
  // What is wrong with an item of a list is shown beside the list.
  const at = edited() === "form" && field && mark(field.replace(/\[\d+\]$/, ""), message);
  place("problem").textContent = at ? "" : message;
  if (!at && field && elements[field] instanceof HTMLElement) elements[field].focus();
}

function clear() {
  place("problem").textContent = "";
  place("added").textContent = "";
  clearMarks();
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
  enable(elements.command.value !== "backtest" && edited() === "form");
}

async function offerRuns() {
  const { runs } = await fetchJson("api/v1/runs?state=complete&per_page=500");
  elements.run.replaceChildren(...runs.filter(hasPolicies).map(({ run, name }) => new Option(`${name}, ${run}`, run)));
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
    // What the form has is written down as it is; a file must be right to fill the form.
    const asked = before === "form" ? { ...given(), draft: true } : given();
    if (await read(fetchJson("api/v1/strategy/form", asked))) showEdited(how);
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
whenDecided(async () => {
  await read(fetchJson("api/v1/strategy/form", { fields: values(), draft: true }));
  showCommand();
});
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

/** Keys of a history, of which none belongs to another one. */
const OF_HISTORY = ["data", "surface", "columns", "date_format", "decimal", "volatility_unit", "repair", "start", "end", "days_per_year"];

/** Writes the values into the form that another page has left for it. */
async function takeOver() {
  const left = sessionStorage.getItem("deephedge-fields");
  if (left === null) return false;
  sessionStorage.removeItem("deephedge-fields");
  const fields = JSON.parse(left);
  const own = values();
  if ("backtest.data" in fields || "backtest.surface" in fields) OF_HISTORY.forEach((key) => delete own[`backtest.${key}`]);
  // A book has its own terms, and no strike beside them.
  if ("contract.legs" in fields) Object.keys(own).filter((key) => key.startsWith("contract.")).forEach((key) => delete own[key]);
  if (await read(fetchJson("api/v1/strategy/form", { fields: { ...own, ...fields }, draft: true }))) {
    place("added").textContent = "The form has what you chose on the page of the data.";
  }
  return true;
}

await read(fetchJson(`api/v1/strategy/form?strategy=${encodeURIComponent(elements.shipped.value)}`));
showCommand();
const taken = await takeOver();
showCommand();
offerNotifications(place("notify"));
await listed;
place("loaded").hidden = false;
if (taken) place("new-job").scrollIntoView();
