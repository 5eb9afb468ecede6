// The browser's notification of jobs that have finished or failed, for whoever asks for it on this machine.

import { fetchJson, site } from "./api.js";

const KEY = "deephedge-notify";
const PERIOD_MILLISECONDS = 5000;
/** States in which a job goes on or waits to. */
const OPEN = ["queued", "running"];

/** The states that were seen last, by run. */
let known = null;

const wanted = () => localStorage.getItem(KEY) === "on" && Notification.permission === "granted";

function tell({ run, name, state, message }) {
  const words = state === "failed" && message ? `failed: ${message}` : state;
  const notification = new Notification(name ?? run, { body: words, tag: run, icon: document.querySelector("link[rel=icon]")?.href });
  notification.addEventListener("click", () => {
    window.focus();
    location.assign(`${site}runs/${encodeURIComponent(run)}`);
  });
}

/** Looks at the jobs, also while the page is not in sight: that is when a notification is of use. */
async function look() {
  if (!wanted()) return;
  try {
    const { jobs } = await fetchJson("api/v1/jobs");
    const before = known;
    known = new Map(jobs.map(({ run, state }) => [run, state]));
    for (const job of before ? jobs : []) {
      if (OPEN.includes(before.get(job.run)) && ["finished", "failed"].includes(job.state)) tell(job);
    }
  } catch {
    // The next look may succeed.
  }
}

/** Puts the choice into `place`, which says why where there is none. */
export function offerNotifications(place) {
  if (!("Notification" in globalThis)) return;
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: wanted() });
  const label = document.createElement("label");
  label.append(box, " Notify me when a job has finished or failed");
  const why = document.createElement("small");
  box.addEventListener("change", async () => {
    why.textContent = "";
    localStorage.setItem(KEY, box.checked ? "on" : "off");
    if (box.checked && (await Notification.requestPermission()) !== "granted") {
      box.checked = false;
      localStorage.setItem(KEY, "off");
      why.textContent = " This browser does not allow it for this page.";
    }
    known = null;
    look();
  });
  place.append(label, why);
  setInterval(look, PERIOD_MILLISECONDS);
  look();
}
