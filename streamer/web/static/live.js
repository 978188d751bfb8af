// The live view: the stored state first, then updated by events.

import { get, trying } from "./api.js";
import { drawChart } from "./chart.js";
import { follow } from "./events.js";
import { drawMeter } from "./meter.js";
import { across, down, drawPlane, node } from "./plane.js";

const SHOWN = 60;
const ROWS = 20;
const ON_PLANE = 12;
const $ = (id) => document.getElementById(id);
const signed = (value) => (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
const grouped = (value) => value.toLocaleString("en");

let utterances = [];
let trackSoon;

function cells(row, values) {
  for (const value of values) {
    const cell = document.createElement("td");
    if (value instanceof Node) cell.append(value);
    else cell.textContent = value;
    cell.className = "num";
    row.append(cell);
  }
  return row;
}

// The time of day; of another day, with its date.
const clock = (seconds) => {
  const at = new Date(seconds * 1000);
  const time = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const isToday = at.toDateString() === new Date().toDateString();
  return isToday ? time : `${at.toLocaleDateString([], { day: "numeric", month: "short" })} ${time}`;
};

// What is predicted of open questions is hidden until they are answered: then it is null.
const hidden = () => {
  const text = document.createElement("span");
  text.className = "faint";
  text.textContent = "hidden";
  return text;
};

function verdict(found) {
  if (found.distance === null) return "";
  const by = found.own === false ? "usual voices, " : "";
  return `${found.emotion ?? "unknown"} (${by}${found.distance.toFixed(2)})`;
}

function fate(state) {
  const tag = document.createElement("span");
  tag.className = state === "asked" ? "tag" : "tag gone";
  tag.textContent = { asked: "asked", released: "released", buffered: "in the buffer" }[state];
  return tag;
}

function drawUtterances() {
  const known = utterances.filter((u) => u.verdict);
  for (const name of ["valence", "arousal"]) {
    drawChart($(`${name}-chart`), known.map((u) => ({ at: u.heard_at, asked: u.state === "asked", ...u[name] })));
  }
  const svg = drawPlane();
  const trail = known.slice(-ON_PLANE);
  const place = (u) => [across(u.valence.mean), down(u.arousal.mean)];
  svg.append(node("polyline", { class: "trail-line", points: trail.map((u) => place(u).join(",")).join(" ") }));
  trail.forEach((u, at) => {
    const [cx, cy] = place(u);
    const age = (at + 1) / trail.length;
    svg.append(node("circle", { class: "trail", cx, cy, r: 4 + 5 * age, opacity: 0.15 + 0.85 * age * age }));
  });
  $("live-plane").replaceChildren(svg);
  const rows = utterances.slice(-ROWS).reverse();
  $("rows").replaceChildren(
    ...rows.map((u) =>
      cells(document.createElement("tr"), [
        u.id, clock(u.heard_at),
        ...(u.verdict
          ? [signed(u.valence.mean), signed(u.arousal.mean), verdict(u.verdict), u.sounds ?? ""]
          : [hidden(), hidden(), hidden(), ""]),
        fate(u.state),
      ]),
    ),
  );
}

function drawSelection(selection) {
  if (!selection) return;
  const asked = selection.asked.map((id) => `#${id}`).join(", ") || "nothing";
  $("selection").textContent =
    `Buffer ${selection.id ?? selection.buffer}, by ${selection.strategy}: asks ${asked}; ` +
    `releases ${selection.released.length}. Reason: ${selection.reason}.`;
}

function drawTrack(track) {
  const share = (value) => (value === null ? "not known yet" : `${Math.round(100 * value)} %`);
  const rows = Object.entries(track.dimensions).map(([name, figures]) =>
    cells(document.createElement("tr"), [
      name, figures.labels, figures.ccc === null ? "not known yet" : figures.ccc.toFixed(2), share(figures.coverage),
    ]),
  );
  $("track").replaceChildren(...rows);
  $("open").textContent = grouped(track.open_queries);
  $("labels").textContent = grouped(track.labels.given);
  $("queries").replaceChildren(
    ...track.queries.slice(0, 5).map((query) => {
      const line = document.createElement("li");
      line.textContent = `#${query.utterance}, ${clock(query.heard_at)}, informativeness ${signed(query.score)}`;
      return line;
    }),
  );
  if (!$("now").hidden) return;
  $("utterances").textContent = grouped(Object.values(track.utterances).reduce((sum, n) => sum + n, 0));
}

function drawStatus(status) {
  drawMeter(status);
  const minutes = Math.floor(status.audio_s / 60);
  $("heard").textContent = `${minutes}:${String(Math.floor(status.audio_s % 60)).padStart(2, "0")}`;
  $("utterances").textContent = grouped(status.utterances);
  $("buffer").textContent = `${status.buffer[0]} / ${status.buffer[1]}`;
  $("open").textContent = grouped(status.open_queries);
  $("labels").textContent = grouped(status.labels);
  const lost = Object.values(status.dropped_samples).reduce((sum, n) => sum + n, 0);
  $("dropped").textContent = grouped(lost);
  $("dropped").className = lost ? "bad" : "";
  $("cpu").textContent = `${Math.round(100 * status.cpu_share)} %`;
  $("factor").textContent = status.realtime_factor.toFixed(3);
}

function drawNotices(notices) {
  if (!notices.length) return;
  $("notices").replaceChildren(
    ...notices.map((notice) => {
      const line = document.createElement("li");
      line.textContent = notice.text;
      return line;
    }),
  );
}

function drawEnd(end) {
  $("state").className = "state";
  $("state-text").textContent = "ended";
  $("heard").textContent = `${Math.floor(end.audio_s / 60)}:${String(Math.floor(end.audio_s % 60)).padStart(2, "0")}`;
  $("utterances").textContent = grouped(end.utterances);
  $("factor").textContent = end.realtime_factor.toFixed(3);
}

let notices = [];
addEventListener("resize", drawUtterances);
setInterval(drawUtterances, 60_000);  // how long ago the last one was

async function load() {
  const state = await trying(() => get("/api/live"));
  if (!state) return;
  utterances = state.utterances;
  // Drift from before this run is only in the state; later drift is also among the notices.
  const shown = new Set(state.notices.map((one) => one.text));
  notices = [...state.track.drift.filter((one) => !shown.has(one.text)), ...state.notices];
  drawUtterances();
  drawSelection(state.selection);
  drawTrack(state.track);
  drawNotices(notices);
  const { start, status, end } = state.lasting;
  if (start) $("source").textContent = `${start.source.kind} ${start.source.name.split("/").at(-1)}`;
  if (status) drawStatus(status);
  if (end) drawEnd(end);
}

// An answer opens what was hidden, and an undo hides it again.
function reload() {
  clearTimeout(trackSoon);
  trackSoon = setTimeout(load, 500);
}

function notice(values) {
  notices = [...notices, values].slice(-20);
  drawNotices(notices);
}

follow({
  hello: load,
  reload: load,
  status: drawStatus,
  end: drawEnd,
  notice,
  learned: reload,
  unlearned: reload,
  described: reload,
  revealed(heard) {
    utterances = utterances.map((u) => (u.id === heard.id ? { ...u, ...heard } : u));
    drawUtterances();
  },
  utterance(heard) {
    utterances = [...utterances, { ...heard, heard_at: Date.now() / 1000, state: "buffered" }].slice(-SHOWN);
    drawUtterances();
  },
  selection(selection) {
    for (const u of utterances) {
      if (selection.asked.includes(u.id)) {
        u.state = "asked";
        if (document.body.dataset.blind === "yes") u.verdict = null;
      }
      if (selection.released.includes(u.id)) u.state = "released";
    }
    drawUtterances();
    drawSelection(selection);
    reload();
  },
});
