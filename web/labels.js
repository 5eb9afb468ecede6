// Tags, note and deletion of a run.

import { fetchJson, site } from "./api.js";

const details = document.getElementById("labels");
const address = `api/v1/runs/${encodeURIComponent(details.dataset.run)}`;
const form = details.querySelector("form");
const status = form.querySelector("[role=status]");

const say = (message, failed) => {
  status.textContent = message;
  status.classList.toggle("problem", failed);
};
const show = ({ tags, note }) => {
  form.elements.tags.value = tags.join(", ");
  form.elements.note.value = note;
  form.removeAttribute("aria-busy");
};
let before = Promise.resolve();
/** One after the other: what is shown is what was asked for last, and nothing is asked of a run that is being deleted. */
const attempt = (work, said) => {
  before = before.then(work).then(() => say(said, false), ({ message }) => say(message, true));
};

details.addEventListener("toggle", () => {
  if (details.open) attempt(async () => show(await fetchJson(`${address}/labels`)), "");
}, { once: true });
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const tags = form.elements.tags.value.split(",").map((tag) => tag.trim()).filter(Boolean);
  const labels = { tags, note: form.elements.note.value };
  attempt(async () => show(await fetchJson(address, labels, "PATCH")), "Saved.");
});
details.querySelector(".delete").addEventListener("click", () => attempt(async () => {
  await fetchJson(address, undefined, "DELETE");
  location.assign(site);
}, "Deleted."));
