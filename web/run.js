// The charts, hedge maps and path explorer of a run's page.

import { fetchJson } from "./api.js";
import { draw, fail, money } from "./charts.js";

const api = (run) => `api/v1/runs/${encodeURIComponent(run)}`;

/** Charts are fetched when they come near the screen: a page has more of them than it shows at once. */
const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    load(target);
  }
}, { rootMargin: "400px" });

async function load(element) {
  try {
    await draw(element, await fetchJson(element.dataset.chart));
  } catch (error) {
    // What stands there without script is better than a message in its place.
    if (!element.querySelector("picture")) fail(element, error.message);
  }
}

function statistics(form) {
  const element = form.parentElement.querySelector("[data-chart]");
  form.addEventListener("change", () => {
    element.dataset.chart = `${form.dataset.address}?key=${encodeURIComponent(form.elements.key.value)}`;
    load(element);
  });
}

/** A form whose answer has figures, drawn in its `.answer`, one slot each. */
function answering(form, address, mayAsk = () => true) {
  const slots = [...form.parentElement.querySelectorAll(".answer > figure > .chart")];
  const show = (count) => slots.forEach((slot, index) => {
    slot.parentElement.hidden = index >= count;
  });
  let latest = 0;
  const ask = async () => {
    const mine = ++latest;
    form.setAttribute("aria-busy", "true");
    try {
      const answer = await fetchJson(address());
      if (mine !== latest) return null;
      show(answer.figures.length);
      await Promise.all(answer.figures.map((figure, index) => draw(slots[index], figure)));
      return answer;
    } catch (error) {
      if (mine === latest) {
        // Why there is no answer is said once.
        fail(slots[0], error.message);
        show(1);
      }
      return null;
    } finally {
      if (mine === latest) form.removeAttribute("aria-busy");
    }
  };
  form.addEventListener("submit", (event) => event.preventDefault());
  // Like the charts, not before they are near the screen.
  const first = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    first.disconnect();
    if (mayAsk()) ask().then(form.answered);
    else show(0);
  }, { rootMargin: "400px" });
  first.observe(form);
  return ask;
}

function hedgeMap(form) {
  const show = answering(form, () =>
    `${api(form.dataset.run)}/hedge_map?strategy=${encodeURIComponent(form.elements.strategy.value)}`);
  form.addEventListener("change", show);
}

function explorer(form) {
  const input = form.elements.path;
  const problem = form.querySelector("[role=alert]");
  const asked = new URL(location.href).searchParams.get("path");
  if (asked !== null) input.value = asked;
  const show = answering(form, () => `${api(form.dataset.run)}/paths?path=${input.value}`, () => holds());
  /** Whether there is such a path; says so if not. */
  const holds = () => {
    const valid = input.value !== "" && input.checkValidity();
    input.setAttribute("aria-invalid", !valid);
    const said = input.value === "" ? "Give the number of a path" : `There is no path ${input.value}`;
    problem.textContent = valid ? "" : `${said}: paths are 0 to ${input.max}.`;
    return valid;
  };
  const table = form.parentElement.querySelector("tbody");
  form.answered = (answer) => {
    if (!answer) return;
    table.replaceChildren(...answer.strategies.map((hedged) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = hedged.seed === null ? hedged.strategy : `${hedged.strategy}, seed ${hedged.seed}`;
      const cells = [hedged.pnl.at(-1), hedged.cost.at(-1)].map((value) => {
        const cell = document.createElement("td");
        cell.textContent = money(value);
        return cell;
      });
      row.append(head, ...cells);
      return row;
    }));
  };
  const go = (path) => {
    input.value = path;
    if (!holds()) return;
    const address = new URL(location.href);
    address.searchParams.set("path", input.value);
    history.replaceState(null, "", address);
    show().then(form.answered);
  };
  holds();
  input.addEventListener("change", () => go(input.value));
  form.addEventListener("click", ({ target }) => {
    if (!(target instanceof HTMLButtonElement)) return;
    const to = target.dataset.to;
    if (to === "random") go(Math.floor(Math.random() * (Number(input.max) + 1)));
    else go(Math.min(Math.max((input.valueAsNumber || 0) + Number(to), 0), Number(input.max)));
  });
}

/** One of the worst contracts, which links in tables and the address of the page name by the day of its sale. */
function contracts(form) {
  const { sold } = form.elements;
  const show = answering(form, () => `${api(form.dataset.run)}/contracts?sold=${encodeURIComponent(sold.value)}`);
  const has = (day) => [...sold.options].some((option) => option.value === day);
  const keep = () => {
    const address = new URL(location.href);
    address.searchParams.set("contract", sold.value);
    history.replaceState(history.state, "", address);
    return show();
  };
  form.addEventListener("change", keep);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.value");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const day = new URL(link.href).searchParams.get("contract");
    if (!has(day)) return;
    event.preventDefault();
    sold.value = day;
    form.scrollIntoView();
    sold.focus({ preventScroll: true });
    keep();
  });
  const asked = new URLSearchParams(location.search).get("contract");
  if (has(asked)) sold.value = asked;
}

document.querySelectorAll("[data-chart]").forEach((element) => near.observe(element));
document.querySelectorAll("form.statistics").forEach(statistics);
document.querySelectorAll("form.hedge-map").forEach(hedgeMap);
document.querySelectorAll("form.explorer").forEach(explorer);
document.querySelectorAll("form.contracts").forEach(contracts);
