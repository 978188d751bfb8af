// The profile page: labels corrected and deleted, questions closed, data deleted.

import { post, toast, trying } from "./api.js";
import { follow } from "./events.js";

const $ = (id) => document.getElementById(id);
const FIELDS = ["valence", "arousal", "dominance"];
let correcting = null;

for (const time of document.querySelectorAll("time[data-at]")) {
  const at = new Date(1000 * Number(time.dataset.at));
  time.dateTime = at.toISOString();
  time.textContent = at.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

async function sure(text) {
  $("sure-text").textContent = text;
  $("sure").returnValue = "cancel";
  $("sure").showModal();
  await new Promise((done) => $("sure").addEventListener("close", done, { once: true }));
  return $("sure").returnValue === "yes";
}

// The result is shown after the page was reloaded.
async function change(path, values) {
  const { done } = await post(path, values);
  sessionStorage.setItem("streamer-done", done);
  location.reload();
}

$("labels").addEventListener("click", (event) => {
  const pressed = event.target.closest("button");
  if (!pressed) return;
  const row = pressed.closest("tr");
  const label = JSON.parse(row.dataset.label);
  if (pressed.classList.contains("delete")) {
    trying(async () => {
      if (await sure(`The label of utterance ${label.utterance} by ${label.annotator} will be deleted, with what was learned from it.`)) {
        await change(`/api/labels/${row.dataset.seq}/withdrawal`, {});
      }
    });
    return;
  }
  correcting = label;
  const form = $("correction-form").elements;
  for (const name of FIELDS) form[name].value = label[name] ?? "";
  form.emotion.value = label.emotion ?? "";
  $("correction-title").textContent = `Correct the label of utterance ${label.utterance}`;
  $("correction").returnValue = "cancel";
  $("correction").showModal();
});

$("correction").addEventListener("close", () => {
  if ($("correction").returnValue !== "save" || !correcting) return;
  const form = $("correction-form").elements;
  const values = Object.fromEntries(FIELDS.map((name) => [name, form[name].value === "" ? null : Number(form[name].value)]));
  const emotion = form.emotion.value.trim() || null;
  const { utterance, annotator } = correcting;
  trying(() => change("/api/corrections", { utterance, annotator, emotion, ...values }));
});

$("expire").addEventListener("submit", (event) => {
  event.preventDefault();
  const days = Number(event.target.elements.days.value);
  trying(async () => {
    if (await sure(`All open questions older than ${days} days will be closed and their audio deleted.`)) {
      await change("/api/expire", { days });
    }
  });
});

for (const form of document.querySelectorAll(".forget")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { what } = form.dataset;
    const { value } = form.elements.value;
    trying(async () => {
      if (await sure(`This deletes ${what} ${value} permanently.`)) {
        await change("/api/forget", { [what]: what === "utterance" ? Number(value) : value });
      }
    });
  });
}

const done = sessionStorage.getItem("streamer-done");
if (done) {
  sessionStorage.removeItem("streamer-done");
  toast(done);
}
follow({});
