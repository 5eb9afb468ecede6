// Draws the figures that the server makes with plotly, whose script the page has loaded before.

const dark = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();

// The modebar is left out: it cannot be reached by keyboard and would need inline styles.
const CONFIG = { displayModeBar: false, doubleClick: "reset+autosize", showTips: false };

/** Of a chart less its legend, in pixels. */
const HEIGHT = 320;

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
    // The figure of the report stays for print, where its paper is another size than the screen.
    const still = element.querySelector(":scope > a:has(picture)");
    element.replaceChildren(title, plot, exports(element), ...(still ? [still] : []));
    resized.observe(plot);
  }
  element.querySelector(":scope > h3").textContent = figure.title;
  plot.style.height ||= `${HEIGHT}px`;
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", figure.title);
  const { data, layout } = onPage(figure);
  // Numbers in the cells of a map only where there is room for them.
  for (const trace of data) {
    if (plot.clientWidth < 520 || trace.y?.length > 20) delete trace.texttemplate;
  }
  await Plotly.react(plot, data, layout, CONFIG);
  // Room for the legend, which takes as many lines as its names and the width ask for, up to half of the height.
  for (let tries = 0; tries < 3; tries += 1) {
    const legend = plot.querySelector(".legend .bg")?.height.baseVal.value ?? 0;
    const height = `${HEIGHT + Math.ceil(legend)}px`;
    if (plot.style.height === height) break;
    plot.style.height = height;
    await Plotly.Plots.resize(plot);
  }
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
function onPage(figure) {
  const { data, layout } = inTheme(figure);
  delete layout.title;
  layout.autosize = true;
  layout.margin = { ...layout.margin, t: 12 };
  layout.legend = { ...layout.legend, y: 1.02, yanchor: "bottom" };
  // What the reader has zoomed to or hidden stays when the figure is drawn again.
  layout.uirevision = figure.title;
  return { data, layout };
}

function exports(element) {
  const bar = document.createElement("div");
  bar.className = "exports";
  const button = (words, action) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = words;
    made.setAttribute("aria-label", `${words}: ${drawn.get(element).title}`);
    made.addEventListener("click", () => action(element.querySelector(":scope > .plot"), drawn.get(element)));
    bar.append(made);
  };
  button("Reset view", (plot, figure) => {
    const { data, layout } = onPage(figure);
    layout.uirevision = Math.random();
    return Plotly.react(plot, data, layout, CONFIG);
  });
  for (const format of ["png", "svg"]) {
    button(format.toUpperCase(), (_, figure) => Plotly.downloadImage(inTheme(figure), {
      format, width: 960, height: 600, scale: format === "png" ? 2 : 1, filename: fileName(figure),
    }));
  }
  button("CSV", (_, figure) => download(`${fileName(figure)}.csv`, csv(figure)));
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

/** One row for every point, with the words of the axes as heads. */
export function csv(figure) {
  const heads = ["series", figure.layout.xaxis.title.text, figure.layout.yaxis.title.text];
  const map = figure.data[0]?.type === "heatmap";
  if (map) heads.push(figure.title);
  const rows = figure.data.flatMap((trace) => {
    const name = trace.meta ?? trace.name ?? "";
    if (trace.z) return trace.z.flatMap((row, j) => row.map((z, i) => [name, trace.x[i], trace.y[j], z]));
    return map ? [] : trace.x.map((x, i) => [name, x, trace.y[i]]);
  });
  return [heads, ...rows].map((row) => row.map(quote).join(",")).join("\n") + "\n";
}

function download(name, text) {
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
