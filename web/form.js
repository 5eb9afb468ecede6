// The form of a strategy: its sections and keys as the server lists them, with units, help, bounds and choices.

import { make } from "./api.js";

/** Sections that are open at first. */
const OPEN = ["", "market", "contract", "costs", "risk", "training"];
let fields = [];
let decided = () => {};

/** Calls `then` when a key has changed on which other keys depend, as a model or a method. */
export const whenDecided = (then) => { decided = then; };

// Values as text

/** A value as text; of a list its entries, those that are lists themselves in brackets. */
const written = (value) => {
  if (Array.isArray(value)) return value.map((inner) => (Array.isArray(inner) ? `[${written(inner)}]` : written(inner))).join(", ");
  if (value === null || typeof value !== "object") return String(value);
  const pairs = Object.entries(value).map(([key, inner]) => `${key} = ${typeof inner === "string" ? `"${inner}"` : written(inner)}`);
  return `{ ${pairs.join(", ")} }`;
};

/** The parts of a text between commas that are in no braces or quotes. */
function parts(text) {
  const found = [""];
  let depth = 0;
  let quoted = false;
  for (const letter of text) {
    if (letter === '"') quoted = !quoted;
    if (!quoted && "{[".includes(letter)) depth += 1;
    if (!quoted && "}]".includes(letter)) depth -= 1;
    if (letter === "," && depth === 0 && !quoted) found.push("");
    else found[found.length - 1] += letter;
  }
  return found.map((part) => part.trim()).filter((part) => part !== "");
}

/** What a text stands for: a table such as `{ moneyness = 1.1 }`, a list in brackets, a number or a word. */
function read(text) {
  if (/^\[.*\]$/s.test(text)) return parts(text.slice(1, -1)).map(read);
  if (/^\{.*\}$/s.test(text)) {
    const pairs = parts(text.slice(1, -1)).map((pair) => {
      const [, key, value] = /^([^=]*)=(.*)$/s.exec(pair) ?? [null, pair, ""];
      return [key.trim(), read(value.trim())];
    });
    return Object.fromEntries(pairs);
  }
  const bare = /^"(.*)"$/s.exec(text);
  if (bare) return bare[1];
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

// Inputs

function numberInput({ kind, value, least, most, bound }) {
  const input = make("input", { type: "number", step: kind === "integer" ? "1" : "any", value: value ?? "" });
  if (least) input.min = least[0];
  if (most) input.max = most[0];
  const excluded = [least, most].filter((end) => end?.[1]).map(([end]) => end);
  input.addEventListener("input", () => {
    const out = input.value !== "" && excluded.includes(input.valueAsNumber);
    input.setCustomValidity(out ? `Must be ${bound}.` : "");
  });
  return input;
}

function selectInput({ value, choices, default: preset, default_rule: rule, required }) {
  const option = ({ name, help }) =>
    Object.assign(new Option(name.replaceAll("_", " "), name, false, name === (value ?? preset)), { title: help ?? "" });
  const none = rule || (required && value === null) ? [new Option(rule ? `by default: ${rule.replaceAll('`', '')}` : "choose", "", false, value === null)] : [];
  return make("select", {}, ...none, ...choices.map(option));
}

/** A box for every word of a list. */
function boxes({ key, value, choices, default: preset }) {
  const chosen = value ?? preset ?? [];
  const box = ({ name, help }) => make("label", { title: help ?? "" },
    make("input", { type: "checkbox", value: name, checked: chosen.includes(name) }), ` ${name.replaceAll("_", " ")}`);
  const group = make("fieldset", { className: "choices", name: key }, ...choices.map(box));
  return group;
}

function inputOf(field) {
  const { key, kind, value, choices, only_choices: only } = field;
  if (kind === "boolean") return make("input", { type: "checkbox", checked: value ?? field.default ?? false });
  if (kind === "integer" || kind === "number") return numberInput(field);
  if (only && kind === "list") return boxes(field);
  if (only && choices.length > 0) return selectInput(field);
  const input = make("input", { type: "text", value: value === null ? "" : written(value), autocomplete: "off" });
  if (choices.length > 0 && kind !== "list") {
    const list = make("datalist", { id: `choices-${key}` }, ...choices.map(({ name }) => new Option(name)));
    input.setAttribute("list", list.id);
    field.list = list;
  }
  return input;
}

function valueOf({ kind, choices, only_choices: only, input, value }) {
  if (kind === "boolean") return input.checked;
  if (only && kind === "list") {
    const chosen = [...input.querySelectorAll(":checked")].map((box) => box.value);
    // The order of the file stays as long as its words do.
    const same = value?.length === chosen.length && value.every((name) => chosen.includes(name));
    return same ? value : chosen;
  }
  const text = input.value.trim();
  if (text === "") return null;
  if (kind === "integer" || kind === "number") return input.valueAsNumber;
  if (kind === "list") return parts(text).map(read);
  if (kind === "table") return read(text);
  // Entries with commas between them, or a list in brackets of its own.
  if (kind === "any") return /,/.test(text) && !/^(\{|\[\[)/.test(text) ? parts(text).map(read) : read(text);
  return text;
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** The values by dotted keys that the strategy said, or that differ from their defaults. */
export const values = () => Object.fromEntries(fields
  .filter(({ label }) => !label.hidden)
  .map((field) => [field, valueOf(field)])
  .filter(([field, value]) => value !== null && (field.value !== null || !same(value, field.default)))
  .map(([{ key }, value]) => [key, value]));

// Labels

function hintOf(field) {
  const { kind, bound, choices, only_choices: only, unit, least, most, required } = field;
  const words = unit ? [unit] : [];
  if (least || most) words.push(bound);
  else if (kind === "list" && !only) words.push("with commas");
  else if (kind === "any" || kind === "table") words.push(bound);
  if (required) words.push("required");
  if (only && kind === "text") {
    const chosen = choices.find(({ name }) => name === field.input.value);
    if (chosen?.help) words.push(chosen.help);
  }
  return words.join("; ");
}

function labelled(field) {
  const { key, title, help, kind, only_choices: only } = field;
  const input = inputOf(field);
  Object.assign(field, { input, message: make("span", { className: "problem", id: `problem-${key}` }), hint: make("small") });
  const group = only && kind === "list";
  if (!group) input.name = key;
  const preset = field.default_rule ?? (field.default === null ? null : written(field.default));
  if ("placeholder" in input && preset !== null) input.placeholder = preset;
  input.setAttribute("aria-describedby", `hint-${key} problem-${key}`);
  field.hint.id = `hint-${key}`;
  field.hint.textContent = hintOf(field);
  input.addEventListener("input", () => {
    mark(key, "");
    field.hint.textContent = hintOf(field);
    showMeaning();
  });
  if (field.decides) input.addEventListener("change", () => decided());
  const about = make("span", { className: "about", textContent: title, title: `${key}: ${help}` });
  const more = make("small", { className: "help", textContent: help });
  const label = make(group ? "div" : "label", { className: kind === "boolean" ? "field boolean" : "field" }, about, input,
    ...(field.list ? [field.list] : []), field.hint, more, field.message);
  if (group) input.setAttribute("aria-label", title);
  field.label = label;
  return label;
}

/** Shows what has a meaning beside the other keys of its section. */
function showMeaning() {
  for (const field of fields) {
    const section = field.key.slice(0, field.key.lastIndexOf(".") + 1);
    const holds = ({ key, values: wanted }) => {
      const other = fields.find((one) => one.key === section + key);
      return !other || wanted.some((value) => same(value, valueOf(other) ?? other.default));
    };
    field.label.hidden = !field.when.every(holds);
  }
}

/** Fills `place` with the sections of a strategy; those that were open stay open. */
export function show(place, sections) {
  const before = new Map([...place.querySelectorAll("details")].map(({ dataset, open }) => [dataset.section, open]));
  fields = sections.flatMap((section) => section.fields.map((field) => ({ ...field })));
  const at = new Map(fields.map((field) => [field.key, field]));
  const details = ({ name, title, help, fields: of }) => {
    const element = make("details", { open: before.get(name) ?? OPEN.includes(name) }, make("summary", { textContent: title }),
      make("p", { className: "note", textContent: help }),
      make("div", { className: "fields" }, ...of.map(({ key }) => labelled(at.get(key)))));
    element.dataset.section = name;
    return element;
  };
  place.replaceChildren(...sections.map(details));
  showMeaning();
}

/** Says what is wrong with a key, beside it; whether the form has the key. */
export function mark(key, words) {
  const field = fields.find((one) => one.key === key);
  if (!field) return false;
  field.message.textContent = words;
  if (!words) {
    field.input.removeAttribute("aria-invalid");
    return true;
  }
  field.input.setAttribute("aria-invalid", "true");
  field.input.closest("details").open = true;
  (field.input.matches("fieldset") ? field.input.querySelector("input") : field.input).focus();
  return true;
}

/** Takes away what was said of all keys. */
export const clearMarks = () => fields.forEach(({ key }) => mark(key, ""));

/** Whether the form is asked for: what is not is not checked either. */
export const enable = (wanted) => fields.forEach(({ input }) => { input.disabled = !wanted; });
