// Plays clips and moves the playhead. A loop that listens on this machine
// is informed before a sound begins and when it has ended, so that it does not take it for speech.

import { ask, post } from "./api.js";

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

// Only the clip that is shown is kept: the server knows which others may still be played.
export class Clip {
  #loaded = null;

  // Its address in this page; null where its audio is gone.
  async address(utterance) {
    if (this.#loaded?.utterance !== utterance) {
      const response = await ask(`/clips/${utterance}`);
      if (!response.ok) return null;
      const address = URL.createObjectURL(await response.blob());
      if (this.#loaded) URL.revokeObjectURL(this.#loaded.address);
      this.#loaded = { utterance, address };
    }
    return this.#loaded.address;
  }
}

export class Player {
  constructor(playhead) {
    this.playhead = playhead;
    this.audio = new Audio();
    this.clip = new Clip();
    this.audio.addEventListener("ended", () => (this.playhead.style.opacity = 0));
  }

  async load(utterance) {
    return (await this.clip.address(utterance)) !== null;
  }

  // Returns whether it plays: a browser may require a click first.
  async play(utterance) {
    const address = await this.clip.address(utterance);
    if (!address || !(await playTold(this.audio, address))) return false;
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
