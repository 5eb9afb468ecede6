// The lines of charts from the steps of trainings.

/** Points of a line; a screen has no more columns to show them in. */
const POINTS = 1000;

/**
 * The mean over the steps around each step, in a window of this share of them; it shrinks at both ends, so that it stays
 * centred.
 */
function smoothed(points, share) {
  const reach = Math.floor(0.5 * share * points.length + 1e-9);
  const sums = [0];
  for (const { risk } of points) sums.push(sums.at(-1) + risk);
  return points.map((_, at) => {
    const near = Math.min(reach, at, points.length - 1 - at);
    return (sums[at + near + 1] - sums[at - near]) / (2 * near + 1);
  });
}

function thinned(line) {
  const stride = Math.ceil(line.x.length / POINTS);
  if (stride <= 1) return line;
  const keep = (_, at) => at % stride === 0 || at === line.x.length - 1;
  return { ...line, x: line.x.filter(keep), y: line.y.filter(keep) };
}

const steps = ({ step }) => step;
const seconds = ({ seconds }) => seconds;

const loss = (points, x, share) => ({ x: points.map(x), y: smoothed(points, Number(share)) });

function validation(points, x) {
  const measured = points.filter((point) => Number.isFinite(point.validation_risk));
  return { x: measured.map(x), y: measured.map((point) => point.validation_risk) };
}

/** Shares of paths over the widths of their bins, which lie over four standard deviations to either side of the mean. */
function density({ pnl_mean: middle, pnl_std: deviation, histogram }) {
  const width = (8 * deviation) / histogram.length;
  const paths = histogram.reduce((sum, count) => sum + count, 0);
  return {
    x: histogram.map((_, bin) => middle - 4 * deviation + width * (bin + 0.5)),
    y: histogram.map((count) => (100 * count) / paths / width),
  };
}

function costs(points) {
  const measured = points.filter(({ validation }) => validation);
  const size = measured.map((_, at) => (at === measured.length - 1 ? 11 : 4));
  return {
    x: measured.map(({ validation }) => validation.cost_mean),
    y: measured.map(({ validation }) => validation.cvar),
    marker: { size },
  };
}

function statistic(points, key) {
  const said = points.filter(({ statistics }) => typeof statistics?.[key] === "number");
  return { x: said.map(steps), y: said.map(({ statistics }) => statistics[key]) };
}

/** For each chart the line of a training, and whether the first fall of the risk may leave the picture at the top. */
export const CHARTS = {
  validation_steps: { line: ({ points }) => validation(points, steps), falls: true },
  validation_seconds: { line: ({ points }) => validation(points, seconds), falls: true },
  loss_steps: { line: ({ points }, share) => loss(points, steps, share), falls: true, smoothed: true },
  loss_seconds: { line: ({ points }, share) => loss(points, seconds, share), falls: true, smoothed: true },
  pnl_density: { line: ({ distribution }) => (distribution ? density(distribution) : { x: [], y: [] }), newest: true },
  cost_cvar: { line: ({ points }) => costs(points), falls: true },
  statistics: { line: ({ points }, key) => statistic(points, key) },
};

/** What all lines do after their first fifth is inside. */
function frame(lines) {
  const all = lines.flat();
  const later = lines.flatMap((line) => line.slice(Math.floor(line.length / 5)));
  const low = all.reduce((a, b) => Math.min(a, b), Infinity);
  const high = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const top = Math.max(Math.min(high, low + 2 * (later.reduce((a, b) => Math.max(a, b), low) - low)), low + 1e-9);
  const margin = 0.06 * (top - low);
  return [low - margin, top + margin];
}

/** With more trainings, what is not smoothed would hide what is. */
const MOST_BEHIND = 4;

/**
 * The chart `name` of the trainings, `key` the statistic that it shows or the share over which it is smoothed; nothing if they
 * have no points for it.
 */
export function figure(name, plan, trainings, key) {
  const { line, falls, newest, smoothed: smooth } = CHARTS[name];
  const empty = plan.figures[name];
  const made = { ...empty, layout: structuredClone(empty.layout), data: [] };
  const shown = trainings.filter((of, _, all) => !newest
    || of === all.filter((other) => other.base === of.base && other.distribution).at(-1));
  const several = new Set(shown.map((of) => of.base)).size < shown.length;
  const named = new Set();
  if (smooth && Number(key) > 0 && shown.length <= MOST_BEHIND) {
    for (const of of shown) {
      const template = empty.data[plan.strategies.indexOf(of.base)] ?? empty.data.at(-1);
      made.data.push({
        ...template, ...thinned(line(of, 0)), meta: of.key, legendgroup: of.base, showlegend: false, hoverinfo: "skip",
        hovertemplate: undefined, opacity: 0.3, line: { ...template.line, width: 1 },
      });
    }
  }
  const behind = made.data.length;
  for (const of of shown) {
    const points = thinned(line(of, key));
    if (points.x.length === 0) continue;
    const template = empty.data[plan.strategies.indexOf(of.base)] ?? empty.data.at(-1);
    const trace = {
      ...template, ...points, meta: of.key, legendgroup: of.base, showlegend: !named.has(of.base),
      hovertemplate: template.hovertemplate.replace("%{fullData.name}", "%{meta}"),
      marker: { ...template.marker, ...(points.marker ?? { size: 5 }) },
    };
    if (several) Object.assign(trace, { opacity: 0.75, line: { ...template.line, width: 1.2 } });
    named.add(of.base);
    made.data.push(trace);
  }
  if (made.data.length === behind) return null;
  const { xaxis, yaxis } = made.layout;
  if (falls) yaxis.range = frame(made.data.slice(behind).map(({ y }) => y));
  if (name === "cost_cvar") xaxis.range = frame(made.data.map(({ x }) => x));
  else if (name !== "pnl_density") xaxis.rangemode = "tozero";
  if (name === "statistics") {
    const words = key.replaceAll("_", " ");
    const values = made.data.flatMap(({ y }) => y);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    made.title = `Optimizer: ${words}`;
    yaxis.title.text = `${words} (${plan.units[key] ?? "dimensionless"})`;
    made.may_be_logarithmic = low > 0 && high <= 100 * low;
    if (low > 0 && high > 100 * low) Object.assign(yaxis, { type: "log", exponentformat: "power" });
    else if (low === high && low > 0) yaxis.range = [0, 2 * low];
  }
  return made;
}
