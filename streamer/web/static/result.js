// The last answer, beside the prediction before it and the prediction now.

import { across, down, drawPlane, node } from "./plane.js";

const signed = (value) => (value === null ? "–" : (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2));
const means = (prediction) => ({ valence: prediction.valence.mean, arousal: prediction.arousal.mean });
const place = ({ valence, arousal }) => [valence ?? 0, arousal ?? 0];

// An answer or a prediction, without what it does not say.
export function inWords(values) {
  const given = ["valence", "arousal", "dominance"].filter((name) => (values[name] ?? null) !== null);
  return [...given.map((name) => `${name} ${signed(values[name])}`), ...(values.emotion ? [values.emotion] : [])].join(", ");
}

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
    dot("guess", place(means(saved.predicted)), 20),
  );
  if (saved.now) {
    const [from, to] = [place(means(saved.predicted)), place(means(saved.now))];
    svg.append(
      node("line", { class: "moved", x1: across(from[0]), y1: down(from[1]), x2: across(to[0]), y2: down(to[1]) }),
      dot("now", to, 20),
    );
  }
  const isPlaced = (answer) => answer.valence !== null && answer.arousal !== null;
  if (saved.first && isPlaced(saved.first)) svg.append(dot("first", place(saved.first), 20));
  if (isPlaced(saved.answer)) svg.append(dot("you", place(saved.answer), 24));
  return svg;
}

function rows(saved) {
  const { answer, predicted, first, now } = saved;
  const found = [["you", "your answer", inWords(answer)]];
  if (first) found.push(["", "before", inWords(first)]);
  found.push(["guess", "predicted", inWords(means(predicted))]);
  if (!first) found.push(["now", "predicted now", now ? inWords(means(now)) : saved.problem ? "stored" : "learning …"]);
  return found;
}

function remark(saved) {
  if (saved.first) {
    return "A repeat: it measures your consistency and is not learned.";
  }
  if (saved.problem) return `Your answer is stored, but ${saved.problem}`;
  const given = ["valence", "arousal", "dominance"].filter((name) => saved.answer[name] !== null);
  const inside = given.filter((name) => {
    const value = saved.answer[name];
    return value >= saved.predicted[name].low && value <= saved.predicted[name].high;
  });
  if (!given.length) return "It counts as an example of its emotion.";
  if (inside.length === given.length) return "Your answer is inside the predicted interval.";
  return inside.length ? `Only ${inside.join(" and ")} inside the predicted interval.` : "Your answer is outside the predicted interval.";
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
