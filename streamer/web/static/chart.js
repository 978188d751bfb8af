// A line with its interval band over the last minutes, in SVG.

import { node } from "./plane.js";

const HEIGHT = 132;
const LEFT = 30;
const BOTTOM = 16;
const SHOWN_S = 300;
// Who was silent for so long has paused: no line is drawn across, as nothing was heard there.
const PAUSE_S = 60;

// points: [{at (seconds), mean, low, high, asked}], oldest first.
export function drawChart(box, points) {
  const width = Math.max(box.clientWidth, 200);
  const svg = node("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" });
  const base = HEIGHT - BOTTOM;
  const y = (value) => 6 + ((1 - value) / 2) * (base - 12);
  for (const [value, kind] of [[1, "edge"], [0, "zero"], [-1, "edge"]]) {
    svg.append(node("line", { class: kind, x1: LEFT, x2: width, y1: y(value), y2: y(value) }));
    svg.append(node("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value > 0 ? "+1" : value < 0 ? "−1" : "0"));
  }
  const last = points.at(-1)?.at ?? 0;
  const shown = points.filter((point) => point.at >= last - SHOWN_S);
  if (shown.length) plot(svg, shown, y, last, width);
  box.replaceChildren(svg);
}

function plot(svg, shown, y, last, width) {
  const span = Math.max(last - shown[0].at, 1);
  const x = (at) => LEFT + 8 + ((at - shown[0].at) / span) * (width - LEFT - 18);
  const parts = split(shown);
  const path = (values) => values.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" ");
  for (const part of parts) {
    const there = part.map((p) => [p.at, p.high]);
    const back = part.map((p) => [p.at, p.low]).reverse();
    svg.append(
      node("polygon", { class: "band", points: path([...there, ...back]) }),
      node("polyline", { class: "line", points: path(part.map((p) => [p.at, p.mean])) }),
    );
  }
  for (const point of shown) {
    svg.append(node("circle", { class: point.asked ? "asked" : "mean", cx: x(point.at), cy: y(point.mean), r: point.asked ? 4 : 3 }));
  }
  svg.append(node("text", { x: LEFT, y: HEIGHT - 2 }, clock(shown[0].at)));
  svg.append(node("text", { x: width - 4, y: HEIGHT - 2, "text-anchor": "end" }, `${clock(last)}${since(last)}`));
}

// Stretches without a pause.
function split(points) {
  const parts = [];
  for (const point of points) {
    const before = parts.at(-1)?.at(-1);
    if (before && point.at - before.at <= PAUSE_S) parts.at(-1).push(point);
    else parts.push([point]);
  }
  return parts;
}

const clock = (at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

// How long ago that was, where it is long enough to be no longer "the last minutes".
function since(at) {
  const minutes = (Date.now() / 1000 - at) / 60;
  if (minutes < 1) return "";
  if (minutes < 90) return `, ${Math.round(minutes)} min ago`;
  const hours = minutes / 60;
  return hours < 36 ? `, ${Math.round(hours)} h ago` : `, ${Math.round(hours / 24)} days ago`;
}
