// The label page: one utterance at a time, answered by keys, mouse or finger.

import { get, post, toast, trying } from "./api.js";
import { forgetDraft, keepDraft, readDraft } from "./draft.js";
import { follow } from "./events.js";
import { onKeys } from "./keys.js";
import { counted } from "./meter.js";
import { draw } from "./picture.js";
import { Plane } from "./plane.js";
import { Player } from "./player.js";
import { hideResult, inWords, showResult } from "./result.js";
import { takeSeat } from "./seat.js";
import { hideWhy, showWhy } from "./why.js";

const $ = (id) => document.getElementById(id);
const remembered = (name, usual) => localStorage.getItem(`streamer-${name}`) ?? usual;
const remember = (name, value) => localStorage.setItem(`streamer-${name}`, value);

let item = null;
let awaited = null;
let picture = null;
let emotion = null;
let emotions = [];  // each with its key, which is kept with the profile
const NOTHING = { valence: null, arousal: null, dominance: null };
let given = NOTHING;
let alone = null;  // the only dimension that is asked, where it is one
let busy = false;
// As long as somebody has given no more, the page leads back to the first steps.
const FIRST_ANSWERS = 12;
// Utterances whose answer was questioned: asked once, whatever is answered then.
const questioned = new Set();

const seat = await takeSeat();
const touch = matchMedia("(hover: none)").matches;
const player = new Player($("playhead"));
const plane = new Plane($("plane"), give);
const annotator = () => $("annotator").value.trim() || document.body.dataset.annotator;

// Take part of an answer; null takes it back.
function give(values) {
  given = { ...given, ...values };
  plane.show(given.valence, given.arousal);
  for (const [name, value] of Object.entries(given)) {
    const text = value === null ? "not set" : value.toFixed(2).replace("-", "−");
    $(name).value = value ?? 0;
    $(name).classList.toggle("unset", value === null);
    $(name).setAttribute("aria-valuetext", text);
    $(`${name}-out`).textContent = text;
  }
  ready();
}

// What is still to be given before it can be saved; an emotion alone is an answer, half a place not.
function missing() {
  const places = alone ? [alone] : ["valence", "arousal"];
  const open = places.filter((name) => given[name] === null);
  if (!open.length || (emotion && open.length === places.length)) return null;
  return open;
}

function ready() {
  const open = missing();
  $("save").disabled = busy || !item || Boolean(open);
  // Dominance is part of an answer on the plane.
  $("dominance").disabled = alone !== "dominance" && (given.valence === null || given.arousal === null);
  if (!item) return;
  const where = alone ? `Set ${alone}` : `${touch ? "Tap" : "Click"} on the plane`;
  const nothing = `${where}, or choose an emotion.`;
  const half = open && open.length < 2 && !alone ? `Set ${open[0]} too.` : nothing;
  $("summary").textContent = open ? half : inWords({ ...given, emotion });
  keepDraft({ utterance: item.utterance, annotator: annotator(), given, emotion });
}

function question(asked) {
  $("surprise").hidden = !asked;
  $("save-text").textContent = asked ? "Keep it" : "Save and next";
}

// ---- what is shown

function present(turn, play = true) {
  item = turn.item;
  emotions = turn.emotions;
  ask(turn.dimension);
  const draft = readDraft();
  const isHalf = item && !item.answered && draft?.utterance === item.utterance && draft.annotator === annotator();
  const before = isHalf ? { ...draft.given, emotion: draft.emotion } : item?.answered;
  emotion = before?.emotion ?? null;
  if (emotion && !emotions.some((one) => one.name === emotion)) emotions = [...emotions, { name: emotion, key: null }];
  question(false);
  showProgress(turn.progress);
  $("work").hidden = !item;
  $("empty").hidden = Boolean(item);
  give(Object.fromEntries(Object.keys(NOTHING).map((name) => [name, before?.[name] ?? null])));
  showEmotions();
  if (!item) return showEmpty(turn);
  $("item-name").textContent = `Utterance ${item.utterance}`;
  const when = new Date(item.heard_at * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  $("item-about").textContent = `${(item.offset_s - item.onset_s).toFixed(1)} s, ${when} · ${item.source}`;
  $("play").disabled = !item.has_audio;
  ready();
  showClip(item, play);
}

// One dimension alone, or the plane.
function ask(dimension) {
  if (dimension === alone) return;
  alone = dimension;
  $("plane").hidden = Boolean(alone);
  $("ask-dominance").hidden = Boolean(alone);
  for (const name of Object.keys(NOTHING)) {
    const shown = alone ? name === alone : name !== "dominance" || $("want-dominance").checked;
    for (const part of document.querySelectorAll(`.sliders [data-for=${name}]`)) part.hidden = !shown;
  }
  hint();
}

function hint() {
  const where = alone ? `set ${alone}` : touch ? "tap the plane" : "click on the plane";
  $("hint").textContent = `Listen, ${where}, save. The prediction stays hidden until then.`;
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
  if (play && !(await heard) && item === shownItem) toast(touch ? "Tap the round button to play it." : "Press space or the round button to play it.");
}

function showProgress(p) {
  const whole = p.left + p.answered;
  $("progress-bar").style.width = `${whole ? (100 * p.answered) / whole : 0}%`;
  const steady = p.repeats ? ` · consistent to ±${p.mean_difference.toFixed(2)} over ${p.repeats} repeat${p.repeats === 1 ? "" : "s"}` : "";
  const spared = document.createElement("span");
  spared.className = "spared";
  spared.textContent = ` · ${p.spared} label${p.spared === 1 ? "" : "s"} saved`;
  $("progress").replaceChildren(`${p.left} open · ${p.answered} answered`, spared, steady);
}

// What happens meanwhile, and what to do.
function showEmpty({ progress: p, listening }) {
  const here = document.body.dataset.listens === "yes";
  const isFirst = !p.answered && !p.skipped && !p.cannot_tell;
  $("empty-title").textContent = p.skipped
    ? "Only skipped questions are left"
    : isFirst ? "Nothing is asked yet" : "All questions are answered";
  $("empty-text").textContent = here || listening
    ? "Streamer listens. Speak as you usually do: when enough is heard, it asks about the half that teaches it most, and the questions appear here by themselves."
    : "Questions are about what you say, and nothing listens now: start `streamer start` (or `streamer run`) in a terminal, and speak. They then appear here by themselves.";
  $("counter").hidden = !here;
  $("to-start").hidden = !here || p.answered > FIRST_ANSWERS;
  $("to-start-text").textContent = isFirst ? "First steps: two minutes to the first answer" : "See what it has learned";
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

// shown: the utterance that comes first, while it is open.
async function next(play = true, shown = 0) {
  const asked = { annotator: annotator(), order: $("order").value, seat, utterance: shown };
  present(await get("/api/next", asked), play);
}

const save = () =>
  once(async () => {
    if (!item || missing()) return;
    player.stop();
    let saved;
    try {
      saved = await post("/api/labels", {
        utterance: item.utterance,
        annotator: annotator(),
        seat,
        ...given,
        emotion,
        sure: questioned.has(item.utterance),
      });
    } catch (error) {
      if (error.status !== 409) throw error;
      forgetDraft();
      await next();
      return toast(error.message);  // it was answered in another tab, or by somebody of that name
    }
    if (saved.surprising) {
      questioned.add(item.utterance);
      return question(true);
    }
    forgetDraft();
    showResult(saved);
    showWhy(saved.answer.utterance, player);
    awaited = saved.now || saved.first || saved.problem ? null : saved;
    await next();
    if ($("work").getBoundingClientRect().top < 0) scrollTo({ top: 0 });  // to the next question
    toast(`Saved. Predicted: ${inWords(meansOf(saved.predicted))}`);
  });

const meansOf = (predicted) =>
  Object.fromEntries((alone ? [alone] : ["valence", "arousal"]).map((name) => [name, predicted[name].mean]));

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
    await post("/api/asides", { kind, utterance: item.utterance, annotator: annotator(), seat });
    forgetDraft();
    await next();
  });

const undo = () =>
  once(async () => {
    const turn = await post("/api/undo", { annotator: annotator(), seat });
    if (!turn.item) return toast("Nothing to undo.");
    hideResult();
    hideWhy();
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
  if (moves[key]) return move(...moves[key]), true;
  if (key === "0") return give(alone ? { [alone]: 0 } : { valence: 0, arousal: 0 }), true;
  if (key === "+") return askNew(), true;
  if (commands[key]) return commands[key](), true;
  const chosen = emotions.find((one) => one.key === key);
  return chosen ? (choose(chosen.name), true) : false;
}

const kept = (value) => Math.round(100 * Math.min(Math.max(value, -1), 1)) / 100;

function move(valence, arousal) {
  const on = (name, step) => kept((given[name] ?? 0) + step);
  if (alone === "valence") return valence ? give({ valence: on("valence", valence) }) : undefined;
  if (alone) return arousal ? give({ [alone]: on(alone, arousal) }) : undefined;
  return give({ valence: on("valence", valence), arousal: on("arousal", arousal) });
}

onKeys(onKey);
for (const name of Object.keys(NOTHING)) {
  const slide = () => give({ [name]: Number($(name).value) });
  $(name).addEventListener("input", slide);
  // A click on the middle of a slider that stands there, unset, changes nothing that is an input.
  $(name).addEventListener("click", () => given[name] === null && !$(name).disabled && slide());
}
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
  if (!wanted) give({ dominance: null });
}

$("annotator").value = remembered("annotator", document.body.dataset.annotator);
$("order").value = remembered("order", "informative");
$("want-dominance").checked = remembered("dominance", "no") === "yes";
wantDominance();

async function refresh() {
  if (!item && !busy) await once(next);
}

follow({
  hello: refresh,
  reload: refresh,
  selection: refresh,
  learned: showChange,
  status: ({ buffer, level_dbfs }) => {
    $("counter").textContent = `${counted(buffer)}. Level now: ${Math.round(Math.max(level_dbfs, -99)).toString().replace("-", "−")} dBFS.`;
  },
});
setInterval(refresh, 5000);
hint();
once(() => next(true, readDraft()?.utterance ?? 0));
