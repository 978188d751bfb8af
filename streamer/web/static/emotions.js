// The emotions page: pick examples, see their cohesion, enroll them, test at once.

import { Clip, playTold } from "./player.js";
import { get, post, toast, trying } from "./api.js";
import { follow } from "./events.js";

// An utterance ends this long after its last sound; then its event arrives.
const GRACE_MS = 2500;
const $ = (id) => document.getElementById(id);
const clock = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const percent = (value) => (value === null ? "not known yet" : `${Math.round(100 * value)} %`);

let picked = [];
let recent = [];
let compared = { cohesion: null, apart: [], distances: {} };
let enough = 10;
// Why what is picked may not be of the emotion, once it was asked about.
let doubt = null;
let heldFrom = null;
let heldUntil = 0;
const audio = new Audio();
const clip = new Clip();

const sentence = (text) => text[0].toUpperCase() + text.slice(1);

function button(text, hidden, action) {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  const more = document.createElement("span");
  more.className = "sr";
  more.textContent = hidden;
  made.append(more);
  made.addEventListener("click", action);
  return made;
}

function named(verdict) {
  if (!verdict) return "hidden until it is answered";
  if (verdict.distance === null) return "nothing is enrolled";
  const by = verdict.own === false ? "usual voices, " : "";
  return `${verdict.emotion ?? "unknown"} (${by}${verdict.distance.toFixed(2)})`;
}

function row(values) {
  const made = document.createElement("tr");
  for (const value of values) {
    const cell = document.createElement("td");
    cell.className = "num";
    if (value instanceof Node) cell.append(value);
    else cell.textContent = value;
    made.append(cell);
  }
  return made;
}

// ---- the tray

async function setPicked(numbers) {
  picked = numbers;
  doubt = null;
  drawTray();
  markRecent();
  const asked = picked;
  const found = await trying(() => post("/api/cohesion", { utterances: asked }));
  if (found && asked === picked) {
    compared = found;
    drawTray();
  }
}

const toggle = (id) => setPicked(picked.includes(id) ? picked.filter((n) => n !== id) : [...picked, id]);

function drawTray() {
  $("dots").replaceChildren(
    ...Array.from({ length: enough }, (_, at) => {
      const dot = document.createElement("i");
      dot.className = at < picked.length ? "full" : "";
      return dot;
    }),
  );
  $("count").textContent = `${picked.length} of ${enough}`;
  const value = compared.cohesion;
  $("gauge").className = value !== null && value < 0.5 ? "gauge low" : "gauge";
  $("gauge").setAttribute("aria-valuenow", (value ?? 0).toFixed(2));
  $("gauge-bar").style.width = `${100 * (value ?? 0)}%`;
  $("gauge-text").textContent = value === null ? "–" : value.toFixed(2);
  const apart = compared.apart.filter((id) => picked.includes(id));
  $("apart").hidden = !apart.length;
  $("apart").textContent =
    `${apart.map((id) => `#${id}`).join(", ")} ${apart.length > 1 ? "disagree" : "disagrees"} with the others: keep or drop?`;
  $("tray").replaceChildren(
    ...picked.map((id) => {
      const line = document.createElement("li");
      line.className = apart.includes(id) ? "apart-one" : "";
      const distance = compared.distances[id];
      const name = document.createElement("b");
      name.textContent = `#${id}`;
      const far = document.createElement("span");
      far.textContent = distance === undefined ? "" : `distance ${distance.toFixed(2)}`;
      line.append(name, far, button("Drop", ` utterance ${id}`, () => toggle(id)));
      return line;
    }),
  );
  ready();
}

function ready() {
  const name = $("name").value.trim();
  $("doubt").hidden = !doubt;
  $("doubt").textContent = doubt ? `${doubt}: sure?` : "";
  $("enroll").disabled = !picked.length || !name;
  const all = doubt ? " all the same" : "";
  $("enroll").textContent = picked.length ? `Enroll ${picked.length} as ${name || "…"}${all}` : "Enroll";
}

// ---- recent utterances

function drawRecent() {
  $("recent").replaceChildren(...recent.map(recentRow));
}

function recentRow(u) {
  const box = document.createElement("input");
  box.type = "checkbox";
  box.value = u.id;
  box.checked = picked.includes(u.id);
  box.setAttribute("aria-label", `Pick utterance ${u.id}`);
  box.addEventListener("change", () => toggle(u.id));
  const hear = u.has_audio ? button("Play", ` utterance ${u.id}`, () => play(u.id)) : "";
  return row([box, u.id, clock(u.heard_at), named(u.verdict), hear]);
}

// Rows are added and marked, not redrawn, so that the keyboard focus stays.
function addRecent(heard) {
  recent = [heard, ...recent];
  $("recent").prepend(recentRow(heard));
  for (const old of recent.splice(24)) $("recent").querySelector(`tr:has(input[value="${old.id}"])`).remove();
}

function markRecent() {
  for (const box of $("recent").querySelectorAll("input")) box.checked = picked.includes(Number(box.value));
}

function play(id) {
  trying(async () => {
    const address = await clip.address(id);
    if (address) await playTold(audio, address);
  });
}

function drawEnrolled(emotions) {
  $("enrolled").replaceChildren(
    ...emotions.map((e) =>
      row([
        e.emotion, e.count, e.cohesion === null ? "–" : e.cohesion.toFixed(2), e.threshold.toFixed(2),
        percent(e.false_accepts), percent(e.false_rejects), percent(e.open_set_false_accepts),
      ]),
    ),
  );
  $("known").replaceChildren(
    ...emotions.map((e) => {
      const option = document.createElement("option");
      option.value = e.emotion;
      return option;
    }),
  );
}

function drawVerdict(heard) {
  $("verdict").textContent = heard ? `#${heard.id}: ${named(heard.verdict)}` : "Say something.";
  const near = Object.entries(heard?.verdict?.distances ?? {}).sort((a, b) => a[1] - b[1]);
  $("distances").replaceChildren(
    ...near.flatMap(([name, distance]) => {
      const [label, bar, value] = ["span", "div", "span"].map((kind) => document.createElement(kind));
      label.textContent = name;
      bar.className = "near";
      bar.style.width = `${100 * Math.max(1 - distance / 2, 0)}%`;
      value.textContent = distance.toFixed(2);
      return [label, bar, value];
    }),
  );
}

function show(state) {
  recent = state.utterances;
  enough = state.enough;
  drawEnrolled(state.emotions);
  drawRecent();
  drawTray();
  drawVerdict(recent[0]);
}

async function load() {
  const state = await trying(() => get("/api/emotions"));
  if (state) show(state);
}

// ---- holding the button

function hold() {
  if ($("hold").disabled || heldFrom !== null) return;
  heldFrom = Date.now();
  $("hold").classList.add("held");
  $("hold-text").textContent = "Speak; release when you are done";
}

function letGo() {
  if (heldFrom === null) return;
  heldFrom = null;
  heldUntil = Date.now() + GRACE_MS;
  $("hold").classList.remove("held");
  $("hold-text").textContent = "Hold and speak";
}

const holding = () => heldFrom !== null || Date.now() < heldUntil;

$("hold").addEventListener("pointerdown", (event) => {
  $("hold").setPointerCapture(event.pointerId);
  hold();
});
for (const name of ["pointerup", "pointercancel", "lostpointercapture", "blur"]) $("hold").addEventListener(name, letGo);
$("hold").addEventListener("keydown", (event) => {
  if (event.key !== " " && event.key !== "Enter") return;
  event.preventDefault();
  hold();
});
$("hold").addEventListener("keyup", letGo);
$("hold").addEventListener("contextmenu", (event) => event.preventDefault());
$("name").addEventListener("input", () => {
  doubt = null;
  ready();
});
$("enroll").addEventListener("click", () =>
  trying(async () => {
    const count = picked.length;
    const name = $("name").value.trim();
    const state = await post("/api/enrollments", { emotion: name, utterances: picked, sure: doubt !== null });
    doubt = state.doubt ?? null;
    if (doubt) return ready();
    compared = { cohesion: null, apart: [], distances: {} };
    picked = [];
    show(state);
    toast(`Enrolled ${count} as ${name}. ${state.advice ? `${sentence(state.advice)}.` : "Say something to test it."}`);
  }),
);

follow({
  hello: load,
  reload: load,
  learned: load,
  unlearned: load,
  utterance(heard) {
    if (!heard.verdict) load();  // while somebody labels, only this page shows it
    addRecent({ ...heard, heard_at: Date.now() / 1000, has_audio: false });
    drawVerdict(heard);
    if (holding()) setPicked([...picked, heard.id]);
  },
});
