// Plays clips, prefetches the next one, and moves the playhead. A loop that listens on this machine
// is informed before a sound begins and when it has ended, so that it does not take it for speech.

import { post } from "/static/api.js";

const TOLD_MS = 500;

const name = crypto.getRandomValues(new Uint32Array(2)).join("-");

function tell(duration) {
  return post("/api/playback", { player: name, duration_s: duration }).catch(() => undefined);
}

// The longest that a clip's length is waited for; without it, nobody could be told how long.
function known(audio) {
  return new Promise((done) => {
    if (audio.readyState >= 1) done();
    audio.addEventListener("loadedmetadata", done, { once: true });
    setTimeout(done, TOLD_MS);
  });
}

// Whether it plays: a browser may want to be clicked first.
export async function playTold(audio, address) {
  audio.src = address;
  await known(audio);
  const duration = Number.isFinite(audio.duration) ? audio.duration : 30;
  await Promise.race([tell(duration), new Promise((done) => setTimeout(done, TOLD_MS))]);
  const over = () => {
    for (const event of ["ended", "pause", "emptied", "error"]) audio.removeEventListener(event, over);
    tell(0);
  };
  for (const event of ["ended", "pause", "emptied", "error"]) audio.addEventListener(event, over);
  try {
    await audio.play();
  } catch {
    over();
    return false;
  }
  return true;
}

export class Player {
  constructor(playhead) {
    this.playhead = playhead;
    this.audio = new Audio();
    this.clips = new Map();
    this.audio.addEventListener("ended", () => (this.playhead.style.opacity = 0));
  }

  // Fetched once: an answered clip can still be played after an undo.
  async load(utterance) {
    if (!this.clips.has(utterance)) {
      const response = await fetch(`/clips/${utterance}`);
      if (!response.ok) return false;
      this.clips.set(utterance, URL.createObjectURL(await response.blob()));
      if (this.clips.size > 20) {
        const [oldest, address] = this.clips.entries().next().value;
        URL.revokeObjectURL(address);
        this.clips.delete(oldest);
      }
    }
    return true;
  }

  // Returns whether it plays: a browser may require a click first.
  async play(utterance) {
    if (!(await this.load(utterance))) return false;
    if (!(await playTold(this.audio, this.clips.get(utterance)))) return false;
    this.step();
    return true;
  }

  stop() {
    this.audio.pause();
    this.playhead.style.opacity = 0;
  }

  step() {
    if (this.audio.paused || this.audio.ended) return;
    const share = this.audio.currentTime / (this.audio.duration || 1);
    this.playhead.style.opacity = 0.8;
    this.playhead.style.left = `${100 * share}%`;
    requestAnimationFrame(() => this.step());
  }
}
