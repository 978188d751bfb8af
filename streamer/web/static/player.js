// Plays clips, prefetches the next one, and moves the playhead.

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
    this.audio.src = this.clips.get(utterance);
    try {
      await this.audio.play();
    } catch {
      return false;
    }
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
