// The first steps: microphone, speaking, answering, and what was learned.

import { get, post, trying } from "./api.js";
import { follow } from "./events.js";
import { counted, drawMeter } from "./meter.js";

const STEPS = ["microphone", "speak", "answer", "learned"];
const $ = (id) => document.getElementById(id);
const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
const annotator = () => localStorage.getItem("streamer-annotator")?.trim() || document.body.dataset.annotator;
const many = (count, thing) => `${count} ${thing}${count === 1 ? "" : "s"}`;

let state = null;
let buffer = null;

// ---- what is shown

function show(found) {
  state = found;
  // Where everything that was asked is answered, the last step is the one to see.
  const step = found.step === "answer" && found.answered && !found.open ? "learned" : found.step;
  const at = STEPS.indexOf(step);
  for (const [number, name] of STEPS.entries()) {
    const card = $(`step-${name}`);
    card.classList.toggle("on", number === at);
    card.classList.toggle("done", number < at);
    if (number === at) card.setAttribute("aria-current", "step");
    else card.removeAttribute("aria-current");
    card.querySelector("h2 button").setAttribute("aria-expanded", String(number === at));
  }
  for (const name of ["sound", "sound-now"]) {
    $(name).textContent = found.sound_text;
    $(name).className = `sound ${found.sound}`;
  }
  $("sound-done").textContent = found.sound === "unknown" ? "" : found.sound_text;
  showSentence(found);
  showQuestions(found);
  showChanges(found.changes);
}

function showSentence(found) {
  const sentence = found.sentences[found.read];
  const isOver = !sentence;
  $("reading").hidden = !found.reads || isOver;
  $("talking").hidden = !$("reading").hidden;
  $("again").hidden = !found.reads || !found.read;
  $("change").textContent = found.reads && !isOver ? "Just talk" : "Read sentences";
  $("change").hidden = isOver;
  if (sentence) {
    $("which").textContent = `Read aloud, ${found.read + 1} of ${found.sentences.length}:`;
    $("mood").textContent = sentence.mood;
    $("mood-hint").textContent = `, ${sentence.hint}`;
    $("sentence").textContent = `“${sentence.text}”`;
  }
  $("speak-done").textContent = found.read ? `${many(found.read, "sentence")} heard` : "";
}

function showQuestions({ open, answered, listens }) {
  const waits = listens ? "The first question comes as soon as enough is heard: go on talking." : "Nothing is asked.";
  const asked = `${many(open, "question")} about what you said: listen, click where the voice lies, save.`;
  $("answer-text").textContent = open ? asked : answered ? "Everything asked is answered." : waits;
  $("to-answer").hidden = !open;
  $("to-answer").textContent = `Answer ${many(open, "question")}`;
  $("answer-done").textContent = answered ? many(answered, "answer") : open ? `${many(open, "question")} waiting` : "";
  showCounter();
}

function showCounter() {
  if (!buffer) return;
  const link = document.createElement("a");
  link.href = "./";
  link.textContent = `answer ${many(state?.open ?? 0, "question")} now`;
  const waiting = state?.open ? [" · ", link] : [];
  $("counter").replaceChildren(counted(buffer), ...waiting);
}

function showChanges(changes) {
  const moved = (name, one) => `${signed(one.before[name].mean)} → ${signed(one.after[name].mean)}`;
  const name = (verdict) => (verdict.distance === null ? "–" : verdict.emotion ?? "unknown");
  const rows = changes.map((one) => {
    const [was, is] = [name(one.before_verdict), name(one.after_verdict)];
    const answer = one.answer;
    const given = answer ? [answer.valence, answer.arousal].filter((value) => value !== null).map(signed) : [];
    const texts = [
      one.sentence === null ? `#${one.utterance}` : state.sentences[one.sentence].mood,
      moved("valence", one), moved("arousal", one),
      was === is ? is : `${was} → ${is}`,
      [...given, ...(answer?.emotion ? [answer.emotion] : [])].join(" "),
    ];
    const row = document.createElement("tr");
    for (const text of texts) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    return row;
  });
  $("changes").replaceChildren(...rows);
  $("learned-scroll").hidden = !rows.length;
  $("learned-text").textContent = !state.answered
    ? "Once you have answered something, it shows here what changed."
    : rows.length
      ? `After ${many(state.answered, "answer")}:`
      : "What you said since this page was started shows here.";
}

// ---- what is done

const address = () => `/api/start?${new URLSearchParams({ annotator: annotator() })}`;
const act = (values) => trying(async () => show(await post(address(), values)));

async function load() {
  const found = await trying(() => get(address()));
  if (found) show(found);
}

for (const name of STEPS) {
  const heading = $(`step-${name}`).querySelector("h2");
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = heading.textContent;
  button.addEventListener("click", () => act({ do: "go", step: name }));
  heading.replaceChildren(button);
}
for (const button of document.querySelectorAll("[data-on]")) {
  button.addEventListener("click", () => act({ do: "on", step: button.dataset.on }));
}
$("change").addEventListener("click", () => act({ do: state.reads ? "talk" : "read" }));
$("again").addEventListener("click", () => act({ do: "again" }));

follow({
  hello(lasting) {
    if (lasting.status) status(lasting.status);
    load();
  },
  reload: load,
  status,
  utterance: load,
  revealed: load,
  selection: load,
  notice: load,
  learned: load,
  unlearned: load,
});

function status(values) {
  drawMeter(values);
  buffer = values.buffer;
  showCounter();
}
