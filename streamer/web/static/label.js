// The label page: one utterance at a time, answered by keys, mouse or finger.

import { get, post, toast, trying } from "/static/api.js";
import { follow } from "/static/events.js";
import { onKeys } from "/static/keys.js";
import { draw } from "/static/picture.js";
import { Plane } from "/static/plane.js";
import { Player } from "/static/player.js";
import { hideResult, showResult } from "/static/result.js";

const $ = (id) => document.getElementById(id);
const remembered = (name, usual) => localStorage.getItem(`streamer-${name}`) ?? usual;
const remember = (name, value) => localStorage.setItem(`streamer-${name}`, value);

let item = null;
let awaited = null;
let picture = null;
let emotion = null;
let emotions = [];  // each with its key, which is kept with the profile
let dominance = null;
let busy = false;
// Utterances whose answer was questioned: asked once, whatever is answered then.
const questioned = new Set();

const player = new Player($("playhead"));
const plane = new Plane($("plane"), shown);
const annotator = () => $("annotator").value.trim() || document.body.dataset.annotator;

function shown(value) {
  for (const name of ["valence", "arousal"]) {
    $(name).value = value ? value[name] : 0;
    say(name, value ? value[name] : null);
  }
  ready();
}

function say(name, value) {
  const text = value === null ? "–" : value.toFixed(2).replace("-", "−");
  $(`${name}-out`).textContent = text;
  $(name).setAttribute("aria-valuetext", value === null ? "not answered" : text);
}

function ready() {
  $("save").disabled = busy || !item || (!plane.value && !emotion);
  $("dominance").disabled = !plane.value;  // it is part of an answer on the plane
}

function question(asked) {
  $("surprise").hidden = !asked;
  $("save-text").textContent = asked ? "Keep it" : "Save and next";
}

function setDominance(value) {
  dominance = value;
  $("dominance").value = value ?? 0;
  say("dominance", value);
}

// ---- what is shown

function present(turn, play = true) {
  item = turn.item;
  emotions = turn.emotions;
  emotion = item?.answered?.emotion ?? null;
  question(false);
  showProgress(turn.progress);
  $("work").hidden = !item;
  $("empty").hidden = Boolean(item);
  plane.clear();
  setDominance(item?.answered?.dominance ?? null);
  showEmotions();
  if (!item) return showEmpty(turn.progress);
  const before = item.answered;
  if (before && before.valence !== null) plane.set(before.valence, before.arousal);
  $("item-name").textContent = `Utterance ${item.utterance}`;
  const when = new Date(item.heard_at * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  $("item-about").textContent = `${(item.offset_s - item.onset_s).toFixed(1)} s, ${when} · ${item.source}`;
  $("play").disabled = !item.has_audio;
  ready();
  showClip(item, play);
}

async function showClip(shownItem, play) {
  picture = null;
  draw($("picture"), null);
  if (!shownItem.has_audio) {
    player.stop();
    $("item-about").textContent = "Its audio was deleted after the answer: answer from memory, or skip it.";
    return;
  }
  const heard = play ? player.play(shownItem.utterance) : player.load(shownItem.utterance);
  const found = await trying(() => get(`/clips/${shownItem.utterance}/picture`));
  if (item !== shownItem) return;
  picture = found;
  draw($("picture"), picture);
  if (play && !(await heard) && item === shownItem) toast("Press space or the round button to play it.");
}

function showProgress(p) {
  const whole = p.left + p.answered;
  $("progress-bar").style.width = `${whole ? (100 * p.answered) / whole : 0}%`;
  const steady = p.repeats ? ` · consistent to ±${p.mean_difference.toFixed(2)} over ${p.repeats} repeats` : "";
  const spared = document.createElement("span");
  spared.className = "spared";
  spared.textContent = ` · ${p.spared} labels saved`;
  $("progress").replaceChildren(`${p.left} open · ${p.answered} answered`, spared, steady);
}

function showEmpty(p) {
  const listens = document.body.dataset.listens === "yes";
  $("empty-title").textContent = p.skipped ? "Only skipped questions are left" : "No open questions";
  $("empty-text").textContent = listens
    ? "Streamer is listening. When its buffer is full, it asks about the more informative half; the questions then appear here."
    : "Questions come from listening: start `streamer run`, and they appear here.";
  $("again").hidden = !p.skipped;
  $("undo-last").hidden = !p.answered && !p.skipped && !p.cannot_tell;
}

function showEmotions() {
  const buttons = emotions.map(({ name, key }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.emotion = name;
    button.setAttribute("aria-pressed", String(name === emotion));
    const cap = document.createElement("kbd");
    cap.textContent = key;
    button.append(...(key ? [cap] : []), ` ${name}`);
    button.addEventListener("click", () => choose(name));
    return button;
  });
  const more = document.createElement("button");
  more.type = "button";
  more.id = "add-emotion";
  const key = document.createElement("kbd");
  key.textContent = "+";
  more.append(key, " new");
  more.addEventListener("click", askNew);
  $("emotions").replaceChildren(...buttons, more);
}

// ---- what is done

function choose(name) {
  emotion = emotion === name ? null : name;
  for (const button of $("emotions").querySelectorAll("[data-emotion]")) {
    button.setAttribute("aria-pressed", String(button.dataset.emotion === emotion));
  }
  ready();
}

function askNew() {
  $("new-emotion").hidden = false;
  $("new-name").focus();
}

function addNew(event) {
  event.preventDefault();
  const name = $("new-name").value.trim().replace(/\s+/g, " ").toLowerCase();
  $("new-name").value = "";
  $("new-emotion").hidden = true;
  $("main").focus();
  if (!name) return;
  // Its key comes with its first answer: another page may name one meanwhile.
  if (!emotions.some((one) => one.name === name)) emotions = [...emotions, { name, key: null }];
  emotion = name;
  showEmotions();
  ready();
}

async function once(action) {
  if (busy) return;
  busy = true;
  ready();
  await trying(action);
  busy = false;
  ready();
}

async function next(play = true) {
  present(await get("/api/next", { annotator: annotator(), order: $("order").value }), play);
}

const save = () =>
  once(async () => {
    if (!item || (!plane.value && !emotion)) return;
    player.stop();
    const saved = await post("/api/labels", {
      utterance: item.utterance,
      annotator: annotator(),
      valence: plane.value?.valence ?? null,
      arousal: plane.value?.arousal ?? null,
      dominance,
      emotion,
      sure: questioned.has(item.utterance),
    });
    if (saved.surprising) {
      questioned.add(item.utterance);
      return question(true);
    }
    showResult(saved);
    awaited = saved.now || saved.first ? null : saved;
    await next();
  });

// Where another process learns the answer, `learned` follows.
async function showChange(learned) {
  const saved = awaited;
  if (!saved || learned.utterance !== saved.answer.utterance || learned.annotator !== saved.answer.annotator) return;
  awaited = null;
  const { utterance, annotator: name } = saved.answer;
  const found = await get(`/api/utterances/${utterance}/change`, { annotator: name }).catch(() => ({}));
  if (found.now && !awaited) showResult({ ...saved, now: found.now });
}

const pass = (kind) =>
  once(async () => {
    if (!item) return;
    player.stop();
    await post("/api/asides", { kind, utterance: item.utterance, annotator: annotator() });
    await next();
  });

const undo = () =>
  once(async () => {
    const turn = await post("/api/undo", { annotator: annotator() });
    if (!turn.item) return toast("Nothing to undo.");
    hideResult();
    present(turn);
    toast(`Utterance ${turn.item.utterance} is open again.`);
  });

const replay = () => item?.has_audio && player.play(item.utterance);

// ---- keys, buttons, events

function onKey(key, shift) {
  const step = shift ? 0.05 : 0.25;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
  const commands = { Enter: save, " ": replay, s: () => pass("skip"), x: () => pass("cannot tell"), z: undo };
  if (key === "?") return $("keys").showModal(), true;
  if (!item && key !== "z") return false;
  if (moves[key]) return plane.move(...moves[key]), true;
  if (key === "0") return plane.set(0, 0), true;
  if (key === "+") return askNew(), true;
  if (commands[key]) return commands[key](), true;
  const chosen = emotions.find((one) => one.key === key);
  return chosen ? (choose(chosen.name), true) : false;
}

onKeys(onKey);
for (const name of ["valence", "arousal"]) {
  $(name).addEventListener("input", () => {
    const from = plane.value ?? { valence: 0, arousal: 0 };
    plane.set(...Object.values({ ...from, [name]: Number($(name).value) }));
  });
}
$("dominance").addEventListener("input", () => setDominance(Number($("dominance").value)));
$("want-dominance").addEventListener("change", wantDominance);
$("save").addEventListener("click", save);
$("skip").addEventListener("click", () => pass("skip"));
$("cannot-tell").addEventListener("click", () => pass("cannot tell"));
for (const name of ["undo", "undo-last"]) $(name).addEventListener("click", undo);
$("help").addEventListener("click", () => $("keys").showModal());
$("play").addEventListener("click", replay);
$("new-emotion").addEventListener("submit", addNew);
$("who").addEventListener("submit", (event) => event.preventDefault());
$("again").addEventListener("click", () =>
  once(async () => {
    await post("/api/skipped", { annotator: annotator() });
    await next();
  }),
);
for (const name of ["annotator", "order"]) {
  $(name).addEventListener("change", () => {
    remember(name, $(name).value);
    once(next);
  });
}
addEventListener("resize", () => draw($("picture"), picture));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw($("picture"), picture));

function wantDominance() {
  const wanted = $("want-dominance").checked;
  remember("dominance", wanted ? "yes" : "no");
  for (const part of document.querySelectorAll(".wanted")) part.hidden = !wanted;
  if (!wanted) setDominance(null);
}

$("annotator").value = remembered("annotator", document.body.dataset.annotator);
$("order").value = remembered("order", "informative");
$("want-dominance").checked = remembered("dominance", "no") === "yes";
wantDominance();

async function refresh() {
  if (!item && !busy) await once(next);
}

follow({ hello: refresh, reload: refresh, selection: refresh, learned: showChange });
setInterval(refresh, 5000);
once(next);
