// Draws the figures that the server makes with plotly, whose script the page has loaded before.

const dark = matchMedia("(prefers-color-scheme: dark)");
/** Narrower charts, and those of more lines, have small letters in their legends. */
const NARROW = 480;
const MANY = 9;

const drawn = new Map();
/** The charts whose vertical axis the reader has turned to logarithms. */
const logarithmic = new WeakSet();

// The modebar is left out: it cannot be reached by keyboard and would need inline styles.
const CONFIG = { displayModeBar: false, doubleClick: "reset+autosize", showTips: false };

/** Of a chart's axes with their words, at least, in pixels. */
const AXES = 240;

// plotly's own `responsive` follows the window alone.
const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.data && target.clientWidth > 0) Plotly.Plots.resize(target);
  }
});

/** Draws `figure` in `element`, or over what it has drawn there. */
export async function draw(element, figure) {
  drawn.set(element, figure);
  let plot = element.querySelector(":scope > .plot");
  if (!plot) {
    plot = document.createElement("div");
    plot.className = "plot";
    const title = document.createElement("h3");
    const note = document.createElement("p");
    note.className = "note";
    // The figure of the report stays for print, where its paper is another size than the screen.
    const still = element.querySelector(":scope > a:has(picture)");
    element.replaceChildren(title, plot, note, exports(element), ...(still ? [still] : []));
    resized.observe(plot);
  }
  element.querySelector(":scope > h3").textContent = figure.title;
  const note = element.querySelector(":scope > .note");
  note.textContent = figure.note ?? "";
  note.hidden = !figure.note;
  const log = element.querySelector(":scope > .exports > .log");
  log.hidden = !mayBeLogarithmic(figure);
  if (log.hidden) logarithmic.delete(element);
  log.setAttribute("aria-pressed", logarithmic.has(element));
  element.querySelector(":scope > .exports > .all").hidden = !(figure.layout.xaxis?.range || figure.layout.yaxis?.range);
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", figure.title);
  // The chart fills the place that was kept for it, so that nothing below it moves.
  const others = [...element.children].filter((child) => child !== plot);
  const taken = others.reduce((sum, child) => sum + child.offsetHeight, 0);
  const kept = parseFloat(getComputedStyle(element).minHeight) - taken;
  plot.style.height = `${Math.max(kept, AXES)}px`;
  const { data, layout } = onPage(element, figure);
  // Numbers in the cells of a map only where there is room for them.
  for (const trace of data) {
    if (plot.clientWidth < 520 || trace.y?.length > 20) delete trace.texttemplate;
  }
  await Plotly.react(plot, data, layout, CONFIG);
  // A legend of many lines must leave the axes their room; it takes up to half of the height.
  for (let tries = 0; tries < 3; tries += 1) {
    const legend = plot.querySelector(".legend .bg")?.height.baseVal.value ?? 0;
    const height = `${Math.max(kept, AXES + Math.ceil(legend))}px`;
    if (plot.style.height === height) break;
    plot.style.height = height;
    await Plotly.Plots.resize(plot);
  }
}

/** Whether all that is on the vertical axis has a logarithm. */
function mayBeLogarithmic(figure) {
  return Boolean(figure.may_be_logarithmic) && figure.data.every(({ y }) => y.every((value) => !(value <= 0)));
}

/** Says in `element` why there is no chart. */
export function fail(element, message) {
  drawn.delete(element);
  const note = document.createElement("p");
  note.className = "message";
  note.setAttribute("role", "status");
  note.textContent = message;
  element.replaceChildren(note);
}

function inTheme(figure) {
  const swap = (value) => {
    if (typeof value === "string") return dark.matches ? (figure.dark[value] ?? value) : value;
    if (Array.isArray(value)) return value.every((one) => typeof one === "number") ? value.slice() : value.map(swap);
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, swap(inner)]));
    }
    return value;
  };
  return { data: swap(figure.data), layout: swap(figure.layout) };
}

/** The title is the page's, and the legend above the axes, where it does not meet their words. */
function onPage(element, figure) {
  const { data, layout } = inTheme(figure);
  delete layout.title;
  layout.autosize = true;
  layout.margin = { ...layout.margin, t: 12 };
  layout.legend = { ...layout.legend, y: 1.02, yanchor: "bottom" };
  // Small letters, so that two names fit beside each other.
  if (element.clientWidth < NARROW || data.length > MANY) layout.legend.font = { ...layout.legend.font, size: 11 };
  // The legend begins with the lines that are shown; where there are many, it has room for a few.
  for (const trace of data) if (trace.visible === "legendonly") trace.legendrank = 2000;
  // What the reader has zoomed to or hidden stays when the figure is drawn again.
  layout.uirevision = figure.title;
  if (logarithmic.has(element)) {
    // All of the first fall has room in logarithms.
    layout.yaxis = { ...layout.yaxis, type: "log", exponentformat: "power" };
    delete layout.yaxis.range;
    layout.uirevision += " in logarithms";
  }
  return { data, layout };
}

function exports(element) {
  const bar = document.createElement("div");
  bar.className = "exports";
  const button = (words, label, action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.setAttribute("aria-label", `${label}: ${drawn.get(element).title}`);
    made.addEventListener("click", () => action(element.querySelector(":scope > .plot"), drawn.get(element)));
    bar.append(made);
    return made;
  };
  button("Log", "Log scale", () => {
    if (!logarithmic.delete(element)) logarithmic.add(element);
    return draw(element, drawn.get(element));
  }).classList.add("log");
  button("All", "Show all", (plot) => Plotly.relayout(plot, { "xaxis.autorange": true, "yaxis.autorange": true }))
    .classList.add("all");
  button("Reset", "Reset view", (plot, figure) => {
    const { data, layout } = onPage(element, figure);
    layout.uirevision = Math.random();
    return Plotly.react(plot, data, layout, CONFIG);
  });
  for (const format of ["png", "svg"]) {
    button(format.toUpperCase(), format.toUpperCase(), (_, figure) => Plotly.downloadImage(inTheme(figure), {
      format, width: 960, height: 600, scale: format === "png" ? 2 : 1, filename: fileName(figure),
    }));
  }
  button("CSV", "CSV", (_, figure) => download(`${fileName(figure)}.csv`, csv(figure)));
  return bar;
}

function fileName(figure) {
  return figure.title.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

/** A cell of a CSV file. Spreadsheets run text that begins like a formula, unless an apostrophe stands before it. */
function quote(value) {
  const text = String(value ?? "");
  const plain = /^[=+\-@\t\r\n]/.test(text) && !Number.isFinite(Number(text)) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** One row for every point, with the words of the axes as heads; of a figure whose places say nothing, the columns it names. */
export function csv(figure) {
  const columns = figure.layout.meta?.columns;
  if (columns) return table([["series", ...columns], ...figure.data.flatMap(({ name, customdata }) =>
    customdata.filter(Boolean).map((row) => [name, ...row]))]);
  const heads = ["series", figure.layout.xaxis.title.text, figure.layout.yaxis.title.text];
  const map = figure.data[0]?.type === "heatmap";
  if (map) heads.push(figure.title);
  const rows = figure.data.flatMap((trace) => {
    const name = trace.meta ?? trace.name ?? "";
    if (trace.z) return trace.z.flatMap((row, j) => row.map((z, i) => [name, trace.x[i], trace.y[j], z]));
    return map ? [] : trace.x.map((x, i) => [name, x, trace.y[i]]);
  });
  return table([heads, ...rows]);
}

const table = (rows) => rows.map((row) => row.map(quote).join(",")).join("\n") + "\n";

/** Gives the reader a CSV file. */
export function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** Charts without a figure of the report are scaled to the paper. */
function toPaper() {
  document.querySelectorAll("img[loading]").forEach((image) => { image.loading = "eager"; });
  for (const container of document.querySelectorAll(".plot .svg-container")) {
    const { clientWidth, clientHeight } = container;
    if (!clientWidth) continue;
    container.style.aspectRatio = `${clientWidth} / ${clientHeight}`;
    for (const svg of container.querySelectorAll(".main-svg")) svg.setAttribute("viewBox", `0 0 ${clientWidth} ${clientHeight}`);
  }
}

addEventListener("beforeprint", toPaper);
addEventListener("afterprint", () => {
  for (const svg of document.querySelectorAll(".plot .main-svg")) svg.removeAttribute("viewBox");
  for (const container of document.querySelectorAll(".plot .svg-container")) container.style.aspectRatio = "";
});

dark.addEventListener("change", () => {
  for (const [element, figure] of drawn) {
    if (element.isConnected) draw(element, figure);
    else drawn.delete(element);
  }
});

const amounts = new Intl.NumberFormat("en", { minimumSignificantDigits: 4, maximumSignificantDigits: 4, useGrouping: false });
const exact = new Intl.NumberFormat("en", { maximumFractionDigits: 0, useGrouping: false });

/** An amount of money of any size: four digits, and all of those before the point. */
export function money(value) {
  const text = Math.abs(value) >= 1000 ? exact.format(value) : amounts.format(value);
  return text.replace("-", "\u2212");
}
