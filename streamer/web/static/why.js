// How an utterance sounds beside the usual, and the nearest answers, to listen to.

import { get } from "./api.js";
import { inWords } from "./result.js";

const $ = (id) => document.getElementById(id);
let shown = 0;

function neighbour(near, player) {
  const line = document.createElement("li");
  const text = `#${near.utterance}: ${inWords(near)}`;
  if (!near.has_audio) {
    line.textContent = text;
    return line;
  }
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet";
  button.textContent = `▸ ${text}`;
  button.setAttribute("aria-label", `Play utterance ${near.utterance}, ${inWords(near)}`);
  button.addEventListener("click", () => player.play(near.utterance));
  line.append(button);
  return line;
}

// Of an answered utterance; nothing is shown where nothing is known.
export async function showWhy(utterance, player) {
  shown = utterance;
  hideWhy();
  const { why } = await get(`/api/utterances/${utterance}/why`).catch(() => ({ why: null }));
  if (!why || shown !== utterance) return;
  $("why-text").textContent = why.text && `sounded ${why.text}`;
  $("why-button").hidden = !why.numbers.length && !why.nearest.length;
  $("numbers-title").hidden = !why.numbers.length;
  $("why-numbers").replaceChildren(...why.numbers.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  $("near-title").hidden = !why.nearest.length;
  $("near").replaceChildren(...why.nearest.map((near) => neighbour(near, player)));
}

export function hideWhy() {
  $("why-text").textContent = "";
  $("why-button").hidden = true;
}
