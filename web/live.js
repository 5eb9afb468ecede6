// A run as it goes on: its events become the lines of charts and the rows of a table.

import { fetchJson, showButtons, site, stateWords } from "./api.js";
import { draw, fail, money } from "./charts.js";
import { CHARTS, figure } from "./lines.js";
import { offerNotifications } from "./notify.js";

const page = document.getElementById("live");
const run = encodeURIComponent(page.dataset.run);
const address = `api/v1/runs/${run}`;
const place = (id) => document.getElementById(id);
const choice = page.querySelector("select[name=key]");
const choices = [...page.querySelectorAll("form.statistics select")];

const DRAW_MILLISECONDS = 300;
const JOB_MILLISECONDS = 2000;
const RETRY_MILLISECONDS = 3000;
/** Steps that the throughput is averaged over. */
const RECENT = 20;

/** What events have said, all of it made again by a snapshot. */
let trainings = new Map();
let phase = null;
/** The number of the last line that is known; a stream that was cut off may say some lines again. */
let last = -1;
let state = "";
let job = null;
let plan = null;

const keyOf = (strategy, seed) => `${strategy}, seed ${seed}`;
const base = (strategy) => strategy.split(", ")[0];

function training({ strategy, seed }) {
  const key = keyOf(strategy, seed);
  if (!trainings.has(key)) {
    trainings.set(key, { key, strategy, seed, base: base(strategy), steps: null, paths: null, points: [], speeds: [], done: 0 });
  }
  return trainings.get(key);
}

function apply(event) {
  const of = event.strategy === undefined || event.event === "tuning" ? null : training(event);
  switch (event.event) {
    case "training":
      // What was done after the checkpoint that the training goes on from is done again.
      of.points = of.points.filter(({ step }) => step < event.from);
      of.steps = event.steps ?? null;
      of.paths = event.paths;
      phase = { words: `Training ${of.key}`, of };
      break;
    case "step":
      of.points.push(event);
      of.done = event.done;
      of.speeds = [...of.speeds.slice(1 - RECENT), event.paths_per_second];
      if (event.validation?.histogram) of.distribution = event.validation;
      phase = { words: `Training ${of.key}`, of };
      break;
    case "tuning":
      phase = { words: `Searching settings of ${event.strategy}: training ${event.trial} of ${event.trials}` };
      break;
    case "measuring":
      phase = { words: "Measuring the policies and the classical hedges", measured: 0 };
      break;
    case "measured":
      phase = { words: `Measuring the policies and the classical hedges: ${event.done} of ${event.of} parts`, measured: event.done / event.of };
      break;
    case "failed":
      phase = { words: `Failed: ${event.message}`, over: true };
      break;
    case "stopped":
    case "finished":
      phase = { words: "", over: true };
  }
}

// Charts

const near = new Set();
const watched = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) near[isIntersecting ? "add" : "delete"](target.id);
  soon();
}, { rootMargin: "200px" });
Object.keys(CHARTS).forEach((name) => watched.observe(place(name)));

let version = 0;
const drawn = new Map();

async function drawCharts() {
  // The table is there before plotly's script, which is long.
  if (!globalThis.Plotly) return soon();
  for (const name of Object.keys(CHARTS)) {
    const complete = state === "complete";
    if (!(complete || near.has(name)) || drawn.get(name) === version) continue;
    const chosen = place(name).closest("figure").querySelector("form.statistics select")?.value;
    const made = figure(name, plan, [...trainings.values()], chosen);
    // What a run never measures, as a walk-forward its validation, has no chart.
    place(name).closest("figure").hidden = complete && !made;
    if (!near.has(name)) continue;
    drawn.set(name, version);
    if (made) await draw(place(name), made);
    else if (state !== "") fail(place(name), "Nothing has been measured yet.");
  }
}

function offerStatistics() {
  const keys = new Set([...choice.options].map(({ value }) => value));
  const before = keys.size;
  for (const { points } of trainings.values()) {
    for (const [key, value] of Object.entries(points.at(-1)?.statistics ?? {})) {
      if (typeof value === "number") keys.add(key);
    }
  }
  if (keys.size === before) return;
  const rank = (key) => (plan.first.indexOf(key) + 1 || Infinity);
  const sorted = [...keys].sort((a, b) => rank(a) - rank(b) || 0);
  const chosen = choice.dataset.chosen ?? sorted[0];
  choice.replaceChildren(...sorted.map((key) => new Option(key.replaceAll("_", " "), key, false, key === chosen)));
}

// Numbers

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const rounded = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const amount = (value) => (Number.isFinite(value) ? money(value) : "");
const spent = (of) => of.points.at(-1)?.seconds ?? 0;

function duration(time) {
  if (time < 100) return `${rounded.format(time)} s`;
  const minutes = Math.round(time / 60);
  return minutes < 100 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** All trainings, those that have not begun among them, in their order. */
function rows() {
  const planned = plan.trainings.map((of) => trainings.get(keyOf(of.strategy, of.seed)) ?? {
    ...of, key: keyOf(of.strategy, of.seed), base: base(of.strategy), points: [], speeds: [], done: 0,
  });
  const extra = [...trainings.values()].filter((of) => !planned.includes(of));
  return [...planned, ...extra];
}

/** Seconds of training that are left: each as long as its steps so far, those of its optimizer, or its paths, say. */
function left(all) {
  const begun = all.filter(({ points }) => points.length > 0);
  if (begun.length === 0) return null;
  const whole = (of) => spent(of) / Math.max(of.done, 1e-9);
  const paths = begun.reduce((sum, of) => sum + (of.points.at(-1).step + 1) * of.paths, 0);
  const speed = paths / begun.reduce((sum, of) => sum + spent(of), 0);
  const expected = (of) => {
    if (of.points.length > 0) return whole(of) * (1 - of.done);
    const alike = begun.filter((other) => other.strategy === of.strategy);
    if (alike.length > 0) return mean(alike.map(whole));
    if (of.steps) return (of.steps * of.paths) / speed;
    const akin = begun.filter((other) => other.base === of.base);
    return mean((akin.length > 0 ? akin : begun).map(whole));
  };
  return all.reduce((sum, of) => sum + expected(of), 0);
}

function cells(of) {
  const measured = of.points.findLast(({ validation }) => validation)?.validation;
  const taken = of.points.length ? of.points.at(-1).step + 1 : 0;
  const going = state === "running" && phase?.of === of;
  return [
    of.done >= 1 || state === "complete" ? "done" : going ? "training" : taken ? "stopped" : "waiting",
    of.steps ? `${taken} of ${of.steps}` : `${taken}`,
    taken ? spent(of).toFixed(2) : "",
    of.speeds.length ? rounded.format(mean(of.speeds)) : "",
    amount(measured?.cvar), amount(measured?.cost_mean), amount(measured?.pnl_std),
  ];
}

function showTable(all) {
  const body = place("trainings").tBodies[0];
  while (body.rows.length > all.length) body.lastChild.remove();
  all.forEach((of, index) => {
    const values = [of.key, ...cells(of)];
    const row = body.rows[index] ?? body.insertRow();
    values.forEach((value, column) => {
      const cell = row.cells[column] ?? row.appendChild(document.createElement(column ? "td" : "th"));
      if (column === 0) cell.scope = "row";
      if (cell.dataset.shown === value) return;
      cell.dataset.shown = value;
      cell.textContent = value;
      if (column === 0) {
        const swatch = document.createElement("span");
        swatch.className = plan.swatches[plan.strategies.indexOf(of.base)] ?? "swatch";
        swatch.setAttribute("aria-hidden", "true");
        cell.prepend(swatch);
      }
    });
  });
}

function showNumbers() {
  const all = rows();
  const done = all.filter((of) => of.done >= 1).length;
  const card = (name, words) => {
    page.querySelector(`[data-value=${name}]`).textContent = words;
  };
  const complete = state === "complete";
  const share = all.length ? all.reduce((sum, of) => sum + of.done, 0) / all.length : 0;
  // What follows the trainings takes its time too.
  const bar = page.querySelector("progress");
  bar.value = complete ? 1 : phase?.measured ?? share;
  bar.setAttribute("aria-label", phase?.measured === undefined ? "Trainings done" : "Measuring done");
  const speeds = phase?.of?.speeds ?? [...trainings.values()].at(-1)?.speeds ?? [];
  const time = all.reduce((sum, of) => sum + spent(of), 0);
  // Only what goes on has an end in sight.
  const remaining = state === "running" ? left(all) : null;
  card("progress", all.length ? `${done} of ${all.length}` : "\u2013");
  card("speed", speeds.length ? `${rounded.format(mean(speeds))} paths/s` : "\u2013");
  card("spent", time ? duration(time) : "\u2013");
  card("left", remaining ? `about ${duration(remaining)}` : "\u2013");
  showTable(all);
  const measured = all.some(({ points }) => points.some(({ validation }) => validation));
  place("trainings").classList.toggle("unmeasured", complete && !measured);
}

function words() {
  if (state === "") return "Connecting.";
  if (state === "gone") return "This run was deleted.";
  if (state === "complete") return "Finished.";
  if (state === "trained") return "Trained. The results come with all shards of the job: deephedge runs merge.";
  if (state === "running") return phase && !phase.over ? `${phase.words}.` : "Running: no step was taken yet.";
  if (job?.origin === "queue" && job.state !== "running") return `This job is ${stateWords(job)}.`;
  return phase?.words ? `${phase.words}.` : "Stopped.";
}

function showState() {
  const status = place("state");
  const text = words();
  if (status.dataset.shown !== text) {
    status.dataset.shown = text;
    status.textContent = text;
    if (state === "complete") {
      const link = document.createElement("a");
      link.href = `${site}runs/${run}`;
      link.textContent = "See the results";
      status.append(" ", link);
    }
  }
  showButtons(page.querySelector(".actions"), job, changed, ({ message }) => say(message));
}

let timer = null;
let drawing = false;

/** Shows what is known, soon, and not more often than a reader can follow. */
function soon() {
  timer ??= setTimeout(async () => {
    timer = null;
    if (!plan || document.hidden || drawing) return drawing && soon();
    drawing = true;
    try {
      showState();
      showNumbers();
      offerStatistics();
      await drawCharts();
    } finally {
      drawing = false;
    }
  }, DRAW_MILLISECONDS);
}

function news() {
  version += 1;
  soon();
}

// Events

function say(message) {
  place("connection").textContent = message;
}

function changed(now) {
  job = now;
  soon();
}

const over = () => state === "complete" || state === "gone";

function gone() {
  state = "gone";
  job = null;
  say("");
  soon();
}

async function followJob() {
  if (over()) return;
  if (!document.hidden) {
    try {
      changed(await fetchJson(`api/v1/jobs/${run}`));
    } catch ({ code }) {
      // The stream of events says when the server is away, and when the run has its results.
      if (code === "not_found") return gone();
    }
  }
  setTimeout(followJob, JOB_MILLISECONDS);
}

function follow() {
  const source = new EventSource(new URL(`${address}/events`, site));
  source.addEventListener("open", () => say(""));
  source.addEventListener("error", async () => {
    if (state === "gone") return source.close();
    say("Connection lost, trying again.");
    // The browser tries again by itself, unless the server has refused.
    if (source.readyState !== EventSource.CLOSED) return;
    try {
      await fetchJson(`${address}/live`);
    } catch ({ message, code }) {
      if (code === "not_found") return gone();
      say(code ? message : `${message} Trying again.`);
      if (code) return;
    }
    setTimeout(follow, RETRY_MILLISECONDS);
  });
  source.addEventListener("snapshot", ({ data, lastEventId }) => {
    trainings = new Map();
    phase = null;
    last = Number(lastEventId);
    JSON.parse(data).events.forEach(apply);
    news();
  });
  source.addEventListener("message", ({ data, lastEventId }) => {
    if (Number(lastEventId) <= last) return;
    last = Number(lastEventId);
    apply(JSON.parse(data));
    news();
  });
  source.addEventListener("state", ({ data }) => {
    const first = state === "";
    ({ state } = JSON.parse(data));
    if (first) {
      followJob();
      if (state !== "complete") offerNotifications(place("notify"));
    }
    if (state === "complete") {
      job = null;
      source.close();
    }
    news();
  });
}

document.addEventListener("visibilitychange", soon);
choices.forEach((select) => select.addEventListener("change", () => {
  if (select === choice) choice.dataset.chosen = choice.value;
  news();
}));
page.querySelectorAll("form.statistics").forEach((form) => form.addEventListener("submit", (event) => event.preventDefault()));
try {
  plan = await fetchJson(`${address}/live`);
  follow();
  soon();
} catch ({ message }) {
  place("state").textContent = message;
}
