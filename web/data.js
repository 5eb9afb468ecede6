// Files of the user's own: upload, what is understood of them, and what is done with them.

import { fetchJson, hasPolicies, make, site } from "./api.js";
import { SHOWN, counted, estimate, kindOf, shown, table, titleOf } from "./examined.js";

const place = (id) => document.getElementById(id);
const asked = new URLSearchParams(location.search).get("file");
const pageOf = (file) => `${site}data?file=${encodeURIComponent(file)}`;
const say = (form, message) => { form.querySelector("[role=alert]").textContent = message; };

// Upload

const upload = place("upload");

/** Sends a file, and tells of it as it goes; what the server says of it. */
function send(file) {
  const bar = upload.querySelector("progress");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", new URL(`api/v1/data?name=${encodeURIComponent(file.name)}`, site));
    request.setRequestHeader("content-type", "application/octet-stream");
    request.responseType = "json";
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      bar.hidden = false;
      bar.value = loaded / Math.max(total, 1);
    });
    request.addEventListener("load", () => {
      if (request.status < 300) return resolve(request.response);
      reject(new Error(request.response?.error?.message ?? `The server answered ${request.status}.`));
    });
    request.addEventListener("error", () => reject(new Error("The server does not answer, or did not take the file.")));
    request.send(file);
  });
}

upload.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [file] = upload.elements.file.files;
  const button = upload.querySelector("button");
  const problem = place("upload-problem");
  problem.textContent = "";
  const most = Number(upload.dataset.most);
  if (file.size > most) {
    problem.textContent = `The file must be ${upload.querySelector("span").textContent}.`;
    return;
  }
  button.disabled = true;
  try {
    location.assign(pageOf((await send(file)).file));
  } catch ({ message }) {
    problem.textContent = message;
  } finally {
    upload.querySelector("progress").hidden = true;
    button.disabled = false;
  }
});

// The list

const rows = [...place("files").tBodies[0].rows];
for (const row of rows) {
  const { file } = row.dataset;
  if (file === asked) row.querySelector("a").setAttribute("aria-current", "page");
  const button = make("button", { type: "button", textContent: "Delete" });
  button.setAttribute("aria-label", `Delete ${titleOf(file)}`);
  button.addEventListener("click", async () => {
    // Asked for twice: nothing brings the file back.
    if (button.dataset.sure === undefined) {
      button.dataset.sure = "";
      button.textContent = "Delete for good";
      return;
    }
    button.disabled = true;
    try {
      await fetchJson(`api/v1/data/${encodeURIComponent(file)}`, undefined, "DELETE");
      location.assign(`${site}data`);
    } catch ({ message }) {
      place("upload-problem").textContent = message;
      button.disabled = false;
    }
  });
  row.cells[3].append(button);
}

// What is understood

const reading = place("reading");
/** Kinds of defects that are to be repaired. */
const repairs = new Set();
/** How the file was read last. */
let read = {};
let check = null;

/** How the form says that the file is read: nothing of what is found from the file. */
function said() {
  const columns = {};
  for (const select of reading.querySelectorAll("[data-column]")) {
    if (select.value) columns[select.name] = select.value;
  }
  for (const pair of reading.elements.columns.value.split(",")) {
    const [, what, name] = /^\s*([^=]+?)\s*=\s*(.+?)\s*$/.exec(pair) ?? [];
    if (what) columns[what] = name;
  }
  const all = { columns, repair: [...repairs] };
  for (const key of ["date_format", "decimal", "volatility_unit"]) {
    if (reading.elements[key].value) all[key] = reading.elements[key].value;
  }
  return all;
}

const files = () => [asked, reading.elements.further.value].filter(Boolean);

function offerColumns(names) {
  for (const select of reading.querySelectorAll("[data-column]")) {
    const { value } = select;
    select.replaceChildren(select.options[0], ...names.map((name) => new Option(name)));
    select.value = value;
  }
}

/** The button that repairs one place as its own words say, such as a split. */
function remedy({ what }) {
  const [, word] = /--repair (\S+)$/.exec(what) ?? [];
  if (!word) return [];
  const button = make("button", { type: "button", textContent: `Repair ${word}` });
  button.addEventListener("click", () => {
    repairs.add(word);
    examine();
  });
  return [" ", button];
}

/** A defect of a kind, with the box that repairs it. */
function defect({ kind, count, repaired_count: repaired, repair, examples }) {
  const box = make("input", { type: "checkbox", checked: repairs.has(kind), name: kind });
  box.addEventListener("change", async () => {
    repairs[box.checked ? "add" : "delete"](kind);
    await examine();
    // Whoever repairs by keyboard goes on from the same box.
    place("remarks").querySelector(`input[name="${kind}"]`)?.focus();
  });
  const label = make("label", {}, box, ` Repair: ${repair}`);
  const all = examples.map((one) => make("li", { textContent: `row ${one.row}, ${one.column}: ${one.what}` }, ...remedy(one)));
  if (count > examples.length) all.push(make("li", { textContent: `and ${count - examples.length} more` }));
  const state = repaired === count ? "repaired" : repaired > 0 ? `${repaired} repaired` : "refused";
  const places = make("details", {}, make("summary", { textContent: "Where" }), make("ul", {}, ...all));
  return make("li", { className: repaired === count ? "" : "worse" },
    make("strong", { textContent: `${counted(count, "defect")} of the kind \u201c${kind}\u201d, ${state}. ` }), label, places);
}

/** A repair of one place that was asked for, with the way back. */
function placed(word) {
  const button = make("button", { type: "button", textContent: "Undo" });
  button.setAttribute("aria-label", `Do not repair ${word}`);
  button.addEventListener("click", () => {
    repairs.delete(word);
    examine();
  });
  return make("li", {}, `repaired: ${word} `, button);
}

function showExamined({ usable, message, columns, check: doc }) {
  check = doc && { ...doc, kind: kindOf(doc), usable };
  offerColumns([...new Set(columns.flatMap(({ columns: names }) => names))]);
  const verdict = place("verdict");
  const remarks = [];
  const parts = [];
  verdict.className = usable ? "" : "problem";
  if (doc) {
    const { parts: own, notes, words } = SHOWN[check.kind](doc);
    parts.push(...own);
    verdict.textContent = usable ? `Ready to use: ${words}.` : `Not usable yet, ${message?.split(": ").at(-1) ?? ""}: ${words}.`;
    remarks.push(...(doc.defects ?? []).map(defect));
    remarks.push(...[...repairs].filter((word) => word.includes("@")).map(placed));
    remarks.push(...(doc.warnings ?? []).map((warning) => make("li", { className: "worse", textContent: `warning: ${warning}` })));
    remarks.push(...notes.map((textContent) => make("li", { textContent })));
  } else {
    verdict.textContent = message;
  }
  // Whoever has to say how the file is read needs to see it.
  if (!usable) place("how").open = true;
  const standing = columns.filter(({ rows: cells }) => cells.length > 0);
  place("standing").replaceChildren(...standing.map(({ file, columns: names, rows: cells }) =>
    table(`${titleOf(file)} as it stands, first rows`, names, cells, "plain-rows")));
  place("remarks").replaceChildren(...remarks);
  place("understood").replaceChildren(...parts);
  place("use").hidden = !(check && (check.usable || check.kind === "chain"));
  if (!place("use").hidden) offer();
}

let turn = 0;
async function examine() {
  const mine = ++turn;
  const verdict = place("verdict");
  place("examined").hidden = false;
  place("examined").setAttribute("aria-busy", "true");
  if (!verdict.textContent) verdict.textContent = "Reading the file.";
  const how = said();
  try {
    const answer = await fetchJson("api/v1/data/check", { files: files(), reading: how });
    if (mine !== turn) return;
    read = how;
    showExamined(answer);
  } catch ({ message }) {
    if (mine !== turn) return;
    verdict.className = "problem";
    verdict.textContent = message;
    place("use").hidden = true;
  } finally {
    if (mine === turn) place("examined").removeAttribute("aria-busy");
  }
}

reading.addEventListener("submit", (event) => {
  event.preventDefault();
  examine();
});

// What is done with it

const calibration = place("calibration");
const job = place("data-job");

async function offer() {
  const surface = check.kind === "surface";
  place("book").hidden = check.kind !== "book";
  calibration.hidden = !["history", "surface"].includes(check.kind);
  job.hidden = !["history", "chain"].includes(check.kind);
  const models = [...calibration.elements.model.options];
  for (const option of models) option.disabled = surface && option.dataset.surface === undefined;
  if (calibration.elements.model.selectedOptions[0]?.disabled) calibration.elements.model.value = models.find(({ disabled }) => !disabled).value;
  place("with-surface").hidden = hasSurfaces();
  job.elements.surface.disabled = hasSurfaces();
  const start = check.suggested_start?.date ?? "";
  if (!job.elements.start.dataset.touched) job.elements.start.value = job.elements.command.value === "backtest" ? start : "";
  if (job.elements.run.options.length === 0) await offerRuns();
}

async function offerRuns() {
  try {
    const { runs } = await fetchJson("api/v1/runs?state=complete&per_page=500");
    const options = (of, prefix) => of.map(({ run, name }) => new Option(`${name}, ${run}`, prefix + run));
    job.elements.run.replaceChildren(...options(runs.filter(hasPolicies), ""));
    job.querySelector("optgroup:last-of-type").replaceChildren(...options(runs, "run="));
  } catch ({ message }) {
    say(job, message);
  }
}

/** Whether the file has surfaces of its own, fitted or to be fitted. */
const hasSurfaces = () => check.kind === "chain" || check.one_month_volatility !== undefined;

/** The data as a job names them. */
function data() {
  const own = hasSurfaces();
  return {
    files: own ? files().slice(1) : files(), surface: own ? asked : job.elements.surface.value || undefined, reading: read,
    start: job.elements.start.value || undefined, end: job.elements.end.value || undefined,
  };
}

function showCommand() {
  const { value } = job.elements.command;
  for (const element of job.querySelectorAll("[data-for]")) {
    element.hidden = element.dataset.for !== value;
    for (const input of element.querySelectorAll("select")) input.disabled = element.hidden;
  }
}
for (const radio of job.elements.command) {
  radio.addEventListener("change", () => {
    showCommand();
    offer();
  });
}
job.elements.start.addEventListener("input", () => { job.elements.start.dataset.touched = ""; });
showCommand();

job.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = job.querySelector("button:not([type])");
  const status = job.querySelector("[role=status]");
  say(job, "");
  status.textContent = "";
  button.disabled = true;
  try {
    const command = job.elements.command.value;
    const new_job = { command, data: data() };
    if (command === "backtest") new_job.run = job.elements.run.value;
    else new_job.strategy = (await fetchJson(`api/v1/strategy/form?${job.elements.strategy.value}`)).strategy;
    const made = await fetchJson("api/v1/jobs", new_job);
    status.replaceChildren("Added: ", make("a", { href: `${site}runs/${encodeURIComponent(made.run)}`, textContent: made.name ?? made.run }), ".");
  } catch ({ message }) {
    say(job, message);
  } finally {
    button.disabled = false;
  }
});

/** Opens the form of the jobs with these values by dotted keys. */
function useInForm(fields) {
  sessionStorage.setItem("deephedge-fields", JSON.stringify(fields));
  location.assign(`${site}jobs`);
}

job.elements.form.addEventListener("click", () => {
  const { files: names, surface, reading: how, start, end } = data();
  const fields = { "backtest.data": names.length > 1 ? names : names[0], "backtest.surface": surface, "backtest.start": start, "backtest.end": end };
  for (const [key, value] of Object.entries(how)) {
    if (Object.keys(value).length > 0) fields[`backtest.${key}`] = value;
  }
  useInForm(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)));
});

place("book").querySelector("button").addEventListener("click", () => {
  const { legs, expiry_days: days } = check.book;
  useInForm({ "contract.type": "portfolio", "contract.legs": legs, "contract.expiry_days": days });
});

/** A parameter with its error, or why it has none. */
function parameter(name, value, { standard_errors: errors = {}, at_bound: bound = [], not_identified: unknown = [] }) {
  const note = bound.includes(name) ? "on a bound of the search" : unknown.includes(name) ? "not determined" : "";
  if (Array.isArray(value)) return [name, `${value.length} of them`, "", note];
  return [name, ...estimate(value, errors?.[name]), note];
}

function showCalibration({ calibration: found, fields }) {
  const at = calibration.querySelector(".result");
  const open = [...(found.at_bound ?? []), ...(found.not_identified ?? [])];
  const remarks = (found.warnings ?? []).map((warning) => make("li", { className: "worse", textContent: `warning: ${warning}` }));
  if (open.length) {
    remarks.unshift(make("li", { className: "worse calibration-bound", textContent:
      `${open.join(", ")}: the data do not say what it is, and a hedge that leans on it leans on a bound of the search. Take a longer history, a simpler model, or a value that you believe in.` }));
  }
  const lines = Object.entries(found.parameters).map(([name, value]) => parameter(name, value, found));
  const error = found.root_mean_square_error;
  const caption = typeof error === "number" ? `Parameters; the quotes are missed by ${shown(error, 3)} volatility points in the root mean square` : "Parameters, with one standard error";
  const button = make("button", { type: "button", textContent: "Use them in the form of the jobs" });
  button.addEventListener("click", () => useInForm(fields));
  const shownTable = table(caption, ["parameter", "value", "error", "note"], lines);
  for (const row of shownTable.querySelectorAll("tbody tr")) {
    if (row.cells[3].textContent) row.cells[3].className = "worse";
  }
  at.replaceChildren(make("ul", { className: "remarks" }, ...remarks), shownTable, make("p", { className: "row" }, button));
}

calibration.addEventListener("submit", async (event) => {
  event.preventDefault();
  const status = calibration.querySelector("[role=status]");
  const button = calibration.querySelector("button");
  say(calibration, "");
  status.textContent = "Calibrating.";
  button.disabled = true;
  try {
    const source = check.kind === "surface" ? "surface" : "history";
    showCalibration(await fetchJson("api/v1/data/calibrate", { model: calibration.elements.model.value, file: asked, source, reading: read }));
  } catch ({ message }) {
    say(calibration, message);
    calibration.querySelector(".result").replaceChildren();
  } finally {
    status.textContent = "";
    button.disabled = false;
  }
});

if (asked) {
  const heading = place("examined").querySelector("h2");
  heading.textContent = titleOf(asked);
  const others = rows.map(({ dataset }) => dataset.file).filter((file) => file !== asked);
  for (const select of [reading.elements.further, job.elements.surface]) {
    select.append(...others.map((file) => new Option(titleOf(file), file)));
  }
  await examine();
}
