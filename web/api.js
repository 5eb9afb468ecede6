// The API of the server, and the buttons that change a job.

/** The address of the server's first page, which a proxy may keep below another path: this file lies two folders below. */
export const site = new URL("../../", import.meta.url).href;

/** What a request was refused for: `message`, and where the server says so `code` and `field`. */
class Refused extends Error {
  constructor(message, { code, field } = {}) {
    super(message);
    Object.assign(this, { code, field });
  }
}

/** The JSON at `address` below the first page, or the answer to `body`; an error with the server's own words if there is none. */
export async function fetchJson(address, body, method = body === undefined ? "GET" : "POST") {
  const headers = { accept: "application/json" };
  const options = { headers, method };
  if (body !== undefined) {
    headers["content-type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(new URL(address, site), options);
  } catch {
    throw new Refused("The server does not answer.");
  }
  const answer = await response.json().catch(() => null);
  if (!response.ok) {
    const error = answer?.error;
    if (error?.code === "unauthorized") throw new Refused("You are not logged in any more: reload this page.", error);
    throw new Refused(error?.message ?? `The server answered ${response.status}.`, error);
  }
  return answer;
}

const STOPPABLE = ["queued", "running"];
const RESUMABLE = ["paused", "cancelled", "interrupted", "failed", "stopped"];

function changes({ state, origin, command }) {
  if (origin === "queue" && STOPPABLE.includes(state)) return ["pause", "cancel"];
  if (!command || !RESUMABLE.includes(state)) return [];
  return state === "paused" ? ["resume", "cancel"] : ["resume"];
}

/** Where a button was pressed last: whoever pressed it goes on from the one that will stand in its place. */
let pressed = null;

/** Puts the buttons that `job` allows into `place`; `changed` is told of the job as it then is, `failed` of an error. */
export function showButtons(place, job, changed, failed) {
  const allowed = job ? changes(job) : [];
  if (place.dataset.allowed === `${allowed}`) return;
  place.dataset.allowed = `${allowed}`;
  place.replaceChildren(...allowed.map((change) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = change[0].toUpperCase() + change.slice(1);
    button.setAttribute("aria-label", `${button.textContent} ${job.name ?? job.run}`);
    button.addEventListener("click", async () => {
      button.disabled = true;
      pressed = place;
      try {
        changed(await fetchJson(`api/v1/jobs/${encodeURIComponent(job.run)}/${change}`, {}));
      } catch (error) {
        button.disabled = false;
        failed(error);
      }
    });
    return button;
  }));
  if (pressed === place && document.activeElement === document.body) {
    place.querySelector("button")?.focus({ preventScroll: true });
  }
}

/** What the state of a job is called. */
export function stateWords({ state, position, message }) {
  if (state === "queued") return position > 1 ? `waiting, ${position - 1} before it` : "waiting, next";
  return state === "failed" && message ? `failed: ${message}` : state;
}

/** Whether a run of the list has policies of its own, which can be tested on history. */
export const hasPolicies = ({ command }) => ["compare", "train"].includes(command);

/** An element with properties and what is in it. */
export const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};
