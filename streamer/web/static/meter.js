// The level of the microphone as a bar, drawn from the `status` event.

const FLOOR_DBFS = -60;
const $ = (id) => document.getElementById(id);

export function drawMeter(status) {
  const level = Math.max(status.level_dbfs, -99);
  const speaking = status.speaking && !status.playing;
  $("state").className = speaking ? "state speech" : "state";
  $("state-text").textContent = status.playing ? "playing a question: microphone ignored" : speaking ? "speech" : "silence";
  $("level-bar").style.width = `${100 * Math.min(Math.max(1 - level / FLOOR_DBFS, 0), 1)}%`;
  $("level").className = status.playing ? "level deaf" : level > -3 ? "level loud" : speaking ? "level speech" : "level";
  $("level").setAttribute("aria-valuenow", Math.round(Math.max(level, FLOOR_DBFS)));
  $("level-text").textContent = `${Math.round(level).toString().replace("-", "−")} dBFS`;
}

// How far the buffer is, and what it leads to.
export function counted([filled, size]) {
  return `${filled} of ${size} heard: ${size - filled} more, and it asks`;
}
