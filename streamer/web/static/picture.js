// A clip drawn on a canvas: mel spectrogram with pitch, and its waveform below.

const WAVE_SHARE = 0.26;
const LIGHT = [[247, 249, 252], [190, 208, 230], [104, 143, 190], [48, 76, 130], [30, 30, 66]];
const DARK = [[29, 32, 38], [48, 56, 92], [110, 76, 140], [214, 120, 108], [252, 214, 150]];

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

function shade(stops, value) {
  const at = value * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  return stops[low].map((part, k) => part + (stops[low + 1][k] - part) * (at - low));
}

function spectrogram({ mel, frames, bands }, stops) {
  const image = new OffscreenCanvas(frames, bands);
  const context = image.getContext("2d");
  const pixels = context.createImageData(frames, bands);
  const values = bytes(mel);
  for (let frame = 0; frame < frames; frame += 1) {
    for (let band = 0; band < bands; band += 1) {
      const at = 4 * ((bands - 1 - band) * frames + frame);
      pixels.data.set(shade(stops, values[frame * bands + band] / 255), at);
      pixels.data[at + 3] = 255;
    }
  }
  context.putImageData(pixels, 0, 0);
  return image;
}

// Draw as large as the canvas is shown; null clears it.
export function draw(canvas, picture) {
  const ratio = window.devicePixelRatio || 1;
  const width = (canvas.width = Math.round(canvas.clientWidth * ratio));
  const height = (canvas.height = Math.round(canvas.clientHeight * ratio));
  const context = canvas.getContext("2d");
  if (!picture || !width || !height) return;
  const style = getComputedStyle(document.documentElement);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const top = height * (1 - WAVE_SHARE);
  context.imageSmoothingQuality = "high";
  context.drawImage(spectrogram(picture, dark ? DARK : LIGHT), 0, 0, width, top);
  drawPitch(context, picture, width, top, ratio, dark);
  drawWave(context, picture, width, top, height, style.getPropertyValue("--accent"));
}

function drawPitch(context, { pitch, frames }, width, height, ratio, dark) {
  for (const [colour, thick] of [[dark ? "#14161a" : "#ffffff", 5], [dark ? "#7fe3d4" : "#d2480c", 2.5]]) {
    context.strokeStyle = colour;
    context.lineWidth = thick * ratio;
    context.lineJoin = context.lineCap = "round";
    context.beginPath();
    let drawing = false;
    pitch.forEach((place, frame) => {
      if (place !== null) {
        const x = ((frame + 0.5) / frames) * width;
        const y = (0.95 - 0.9 * place) * height;
        if (drawing) context.lineTo(x, y);
        else context.moveTo(x, y);
      }
      drawing = place !== null;
    });
    context.stroke();
  }
}

function drawWave(context, { waveform }, width, top, height, colour) {
  const [lows, highs] = waveform.map(bytes);
  const middle = (top + height) / 2;
  // Scaled to the strip: the shape of the waveform matters more than its level.
  const peak = Math.max(...lows.map((v) => Math.abs(v - 127.5)), ...highs.map((v) => Math.abs(v - 127.5)), 8);
  const scale = ((height - top) * 0.46) / peak;
  context.fillStyle = colour;
  lows.forEach((low, at) => {
    const from = middle - (highs[at] - 127.5) * scale;
    const tall = Math.max((highs[at] - low) * scale, 1);
    context.fillRect((at / lows.length) * width, from, Math.max(width / lows.length - 0.5, 1), tall);
  });
}
