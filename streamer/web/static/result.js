// The last answer, beside the prediction before it and the prediction now.

import { across, down, drawPlane, node } from "/static/plane.js";

const signed = (value) => (value === null ? "–" : (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2));
const both = (valence, arousal) => `valence ${signed(valence)}, arousal ${signed(arousal)}`;
const means = (prediction) => [prediction.valence.mean, prediction.arousal.mean];

function dot(kind, [valence, arousal], radius) {
  return node("circle", { class: `dot-${kind}`, cx: across(valence), cy: down(arousal), r: radius });
}

function picture(saved) {
  const svg = drawPlane(false);
  const { valence, arousal } = saved.predicted;
  svg.append(
    node("rect", {
      class: "band-guess",
      x: across(valence.low),
      y: down(arousal.high),
      width: across(valence.high) - across(valence.low),
      height: down(arousal.low) - down(arousal.high),
    }),
    dot("guess", means(saved.predicted), 20),
  );
  if (saved.now) {
    const [from, to] = [means(saved.predicted), means(saved.now)];
    svg.append(
      node("line", { class: "moved", x1: across(from[0]), y1: down(from[1]), x2: across(to[0]), y2: down(to[1]) }),
      dot("now", to, 20),
    );
  }
  if (saved.first && saved.first.valence !== null) {
    svg.append(dot("first", [saved.first.valence, saved.first.arousal], 20));
  }
  if (saved.answer.valence !== null) {
    svg.append(dot("you", [saved.answer.valence, saved.answer.arousal], 24));
  }
  return svg;
}

function rows(saved) {
  const { answer, predicted, first, now } = saved;
  const emotion = answer.emotion ? `, ${answer.emotion}` : "";
  const found = [["you", "your answer", both(answer.valence, answer.arousal) + emotion]];
  if (first) found.push(["", "before", both(first.valence, first.arousal)]);
  found.push(["guess", "predicted", both(...means(predicted))]);
  if (!first) found.push(["now", "predicted now", now ? both(...means(now)) : "learning …"]);
  return found;
}

function remark(saved) {
  if (saved.first) {
    return "A repeat: it measures your consistency and is not learned.";
  }
  const inside = ["valence", "arousal"].filter((name) => {
    const value = saved.answer[name];
    return value !== null && value >= saved.predicted[name].low && value <= saved.predicted[name].high;
  });
  if (saved.answer.valence === null) return "It counts as an example of its emotion.";
  if (inside.length === 2) return "Your answer is inside the predicted interval.";
  return inside.length ? `Only ${inside[0]} is inside the predicted interval.` : "Your answer is outside the predicted interval.";
}

export function showResult(saved) {
  document.getElementById("guide").hidden = true;
  document.getElementById("last").hidden = false;
  document.getElementById("last-plane").replaceChildren(picture(saved));
  const list = document.getElementById("last-text");
  list.replaceChildren();
  for (const [kind, name, text] of rows(saved)) {
    const term = document.createElement("dt");
    term.className = kind;
    term.textContent = name;
    const value = document.createElement("dd");
    value.textContent = text;
    list.append(term, value);
  }
  const note = document.createElement("dd");
  note.className = "note";
  note.textContent = remark(saved);
  list.append(note);
}

export function hideResult() {
  document.getElementById("last").hidden = true;
}
