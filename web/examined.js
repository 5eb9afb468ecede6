// What `data check` says of a file, as tables and notes; numbers as people read them.

import { make } from "./api.js";

/** What a file was called before its hash was put before its name. */
export const titleOf = (file) => file.replace(/^[0-9a-f]{16}-/, "");

// Numbers and tables

const grouped = (count) => count.toLocaleString("en").replaceAll(",", "\u202f");
/** A number of things. */
export const counted = (count, noun) => `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
const withMinus = (text) => text.replace(/^-/, "\u2212");
const decimalsOf = (text) => (/\.(\d+)/.exec(text)?.[1] ?? "").length;

/** A number to so many significant digits; what is none as it is. */
export function shown(value, digits = 6) {
  if (typeof value !== "number") return value ?? "";
  if (Number.isInteger(value) && Math.abs(value) >= 1e6) return grouped(value);
  return withMinus(new Intl.NumberFormat("en", { maximumSignificantDigits: digits, useGrouping: false }).format(value));
}

/** The numbers of a column, with their points in line. */
function aligned(values) {
  const texts = values.map((value) => shown(value));
  const decimals = Math.min(8, Math.max(0, ...texts.map(decimalsOf)));
  return values.map((value, at) => (typeof value === "number" && Math.abs(value) < 1e6 ? withMinus(value.toFixed(decimals)) : texts[at]));
}

/** Rows whose columns after the first are {@link aligned}. */
function inLine(rows) {
  const columns = (rows[0] ?? []).map((_, at) => rows.map((row) => row[at]));
  const lines = columns.map((column, at) => (at === 0 ? column : aligned(column)));
  return rows.map((_, row) => lines.map((column) => column[row]));
}

/** A value with its standard error, to two digits of this. */
export function estimate(value, error) {
  if (!(error > 0)) return [shown(value, 4), ""];
  const decimals = Math.min(12, Math.max(0, 1 - Math.floor(Math.log10(error))));
  return [withMinus(value.toFixed(decimals)), `\u00b1 ${error.toFixed(decimals)}`];
}

/** A table that scrolls, with a caption. */
export function table(caption, heads, lines, className = "numbers") {
  const row = (cells) => make("tr", {}, ...cells.map((cell, at) =>
    (at === 0 ? make("th", { scope: "row", textContent: cell }) : make("td", { textContent: cell }))));
  const scroll = make("div", { className: "scroll", tabIndex: 0 }, make("table", { className },
    make("caption", {}, make("span", { textContent: caption })),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col", textContent: head })))),
    make("tbody", {}, ...lines.map(row))));
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", caption);
  return scroll;
}

// What is understood

function ofPrices(doc) {
  const parts = [];
  const units = doc.files.map(({ volatility_unit: unit }) => unit).filter(Boolean);
  parts.push(table("What was understood", ["quantity", "column", "least", "greatest"],
    [["date", doc.date_column, doc.days_read[0]?.date ?? "", doc.days_read.at(-1)?.date ?? ""],
      ...doc.columns.map(({ quantity, column, low, high }) => [quantity, column, shown(low), shown(high)])]));
  parts.push(table("First and last days, as they are read", ["date", ...doc.columns.map(({ quantity }) => quantity)],
    inLine(doc.days_read.map(({ date, values }) => [date, ...values]))));
  const gap = doc.longest_gap;
  const notes = [
    ...doc.files.flatMap(({ notes: of }) => of),
    `closes are ${doc.closes.spacing}, ${shown(doc.closes.observations_per_year)} a year`,
    `${counted(doc.weekdays_missing, "weekday")} without a close`,
    ...(gap ? [`longest gap: ${counted(gap.days, "day")}, from ${gap.from} to ${gap.to}`] : []),
    ...(units.length ? [`implied volatilities are read as ${units[0] === "percent" ? "percent" : "fractions"}`] : []),
  ];
  const start = doc.suggested_start;
  if (start) notes.push(`suggested first sale: ${start.date}, ${counted(start.closes_before, "close")} before it to estimate from`);
  else notes.push("too few closes before any first sale to estimate a model from: parameters = \"strategy\" in the section History takes those of the strategy");
  return { parts, notes, words: `${counted(doc.days, "day")} from ${doc.days_read[0]?.date ?? "none"} to ${doc.days_read.at(-1)?.date ?? "none"}` };
}

function ofChain(doc) {
  const fitted = doc.days.filter(({ without_surface: why }) => !why);
  const dropped = Object.entries(doc.dropped).filter(([, count]) => count > 0);
  const without = doc.days.filter(({ without_surface: why }) => why);
  const days = [...doc.days.slice(0, 3), ...doc.days.slice(Math.max(3, doc.days.length - 3))];
  const error = ({ root_mean_square_error: left }) => (left === null ? "" : Number(left.toPrecision(3)));
  const parts = [table("First and last days", ["date", "close", "expiries", "quotes", "error (volatility points)"],
    inLine(days.map((day) => [day.date, day.close, day.expiries, day.quotes, error(day)])))];
  if (dropped.length) {
    parts.unshift(table("Quotes that a rule drops", ["rule", "quotes"], dropped.map(([rule, count]) => [rule.replaceAll("_", " "), shown(count)])));
  }
  const notes = [...doc.files.flatMap(({ notes: of }) => of), `${doc.fit === "svi" ? "a slice for every expiry is" : "five factors are"} fitted to every day`, ...(dropped.length ? [] : ["no quote is dropped"])];
  if (without.length) notes.push(`${counted(without.length, "day")} without a surface, the first ${without[0].date}: ${without[0].without_surface}`);
  const of = doc.underlying ? ` of options on ${doc.underlying}` : " of options";
  return { parts, notes, words: `a chain${of}: ${counted(doc.quotes.kept, "quote")} kept of ${counted(doc.quotes.read, "quote")}, ${counted(fitted.length, "day")} with a surface` };
}

function ofSurface({ implied_volatilities: of, examples }) {
  const parts = [table("First quotes", ["strike", "expiry (years)", "implied volatility"],
    inLine(examples.map((quote) => [shown(quote.strike), quote.expiry_years, quote.implied_volatility])))];
  const notes = [`volatilities are read as ${of.volatility_unit === "percent" ? "percent" : "fractions"}`];
  const span = `expiries of ${shown(of.first_expiry_years, 3)} to ${shown(of.last_expiry_years, 3)} years`;
  return { parts, notes, words: `implied volatilities by strike and expiry: ${counted(of.quotes, "quote")}, ${span}` };
}

function ofBook({ book: { legs, expiry_days: days } }) {
  const keys = [...new Set(legs.flatMap(Object.keys))];
  const cell = (value) => (typeof value === "object" ? JSON.stringify(value) : shown(value));
  const parts = [table("Contracts that are sold together", ["number", ...keys],
    legs.map((leg, at) => [String(at + 1), ...keys.map((key) => (leg[key] === undefined ? "" : cell(leg[key])))]))];
  return { parts, notes: [], words: `a book of ${counted(legs.length, "contract")}, the last of which expires after ${counted(days, "day")}` };
}

/** What the document of a check is about. */
export const kindOf = (doc) => (doc.book ? "book" : doc.implied_volatilities ? "surface" : doc.quotes ? "chain" : "history");

/** By kind, the tables and notes that a document becomes, and its words in short. */
export const SHOWN = { history: ofPrices, chain: ofChain, surface: ofSurface, book: ofBook };
