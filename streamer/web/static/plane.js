// The plane of valence (left to right) and arousal (bottom to top), drawn in SVG.

const SIZE = 400;
const NS = "http://www.w3.org/2000/svg";
const CORNERS = [
  [12, 24, "start", "tense, angry, afraid"],
  [SIZE - 12, 24, "end", "thrilled, elated"],
  [12, SIZE - 12, "start", "sad, tired, bored"],
  [SIZE - 12, SIZE - 12, "end", "calm, content"],
];

export function node(name, attributes = {}, text = "") {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

export const across = (valence) => ((valence + 1) / 2) * SIZE;
export const down = (arousal) => ((1 - arousal) / 2) * SIZE;

// The empty plane. words: whether its corners and ends are named.
export function drawPlane(words = true) {
  const svg = node("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, "aria-hidden": "true" });
  const half = SIZE / 2;
  for (const [name, x, y] of [["q2", 0, 0], ["q1", half, 0], ["q3", 0, half], ["q4", half, half]]) {
    svg.append(node("rect", { class: name, x, y, width: half, height: half }));
  }
  for (let at = SIZE / 8; words && at < SIZE; at += SIZE / 8) {
    svg.append(node("line", { class: "grid-line", x1: at, x2: at, y1: 0, y2: SIZE }));
    svg.append(node("line", { class: "grid-line", y1: at, y2: at, x1: 0, x2: SIZE }));
  }
  svg.append(node("line", { class: "axis", x1: half, x2: half, y1: 0, y2: SIZE }));
  svg.append(node("line", { class: "axis", y1: half, y2: half, x1: 0, x2: SIZE }));
  if (words) {
    for (const [x, y, anchor, text] of CORNERS) {
      svg.append(node("text", { class: "corner", x, y, "text-anchor": anchor }, text));
    }
    const name = (x, y, anchor, text) =>
      svg.append(node("text", { class: "axis-name", x, y, "text-anchor": anchor }, text));
    name(half + 8, 16, "start", "↑ excited");
    name(half + 8, SIZE - 8, "start", "↓ calm");
    name(8, half - 8, "start", "← negative");
    name(SIZE - 8, half - 8, "end", "positive →");
  }
  return svg;
}

// A plane for answers by mouse, pen or finger: onChange gets {valence, arousal}, in hundredths.
export class Plane {
  constructor(box, onChange) {
    const svg = drawPlane();
    this.guides = [node("line", { class: "guide" }), node("line", { class: "guide" })];
    this.halo = node("circle", { class: "halo-you", r: 22 });
    this.dot = node("circle", { class: "dot-you", r: 10 });
    svg.append(...this.guides, this.halo, this.dot);
    box.append(svg);
    this.show(null, null);
    const whole = (value) => Math.round(value * 100) / 100;
    const take = (event) => {
      const area = box.getBoundingClientRect();
      const part = (at, start, size) => Math.min(Math.max((at - start) / size, 0), 1);
      onChange({
        valence: whole(2 * part(event.clientX, area.left, area.width) - 1),
        arousal: whole(1 - 2 * part(event.clientY, area.top, area.height)),
      });
    };
    box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      box.setPointerCapture(event.pointerId);
      take(event);
      event.preventDefault();
    });
    box.addEventListener("pointermove", (event) => {
      if (box.hasPointerCapture(event.pointerId)) take(event);
    });
  }

  // The answer as a dot; one line where only one of the two is given, null.
  show(valence, arousal) {
    const [x, y] = [across(valence ?? 0), down(arousal ?? 0)];
    const seen = (part, is) => part.setAttribute("visibility", is ? "inherit" : "hidden");
    for (const circle of [this.halo, this.dot]) {
      circle.setAttribute("cx", x);
      circle.setAttribute("cy", y);
      seen(circle, valence !== null && arousal !== null);
    }
    const ends = [{ x1: x, x2: x, y1: 0, y2: SIZE }, { y1: y, y2: y, x1: 0, x2: SIZE }];
    ends.forEach((places, at) => {
      for (const [key, value] of Object.entries(places)) this.guides[at].setAttribute(key, value);
      seen(this.guides[at], (at ? arousal : valence) !== null);
    });
  }
}
