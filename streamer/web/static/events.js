// Server-sent events. Browsers allow few connections to one place, so only a visible page has one.

import { here } from "./api.js";

// handlers: functions by event name, called with the event's values. "hello" and "reload" mean:
// fetch the state again.
export function follow(handlers) {
  const presence = document.getElementById("presence");
  const words = document.getElementById("presence-text");
  const listens = document.body.dataset.listens === "yes";
  let source = null;

  function show(state, text) {
    presence.className = `presence ${state}`;
    if (words.textContent !== text) words.textContent = text;
  }

  // Not at once: a restart of a second is no news.
  const lost = document.getElementById("lost");
  const WAIT_MS = 3000;
  const RETRY_MS = 2000;
  let lostSince = null;

  async function tellLost() {
    lostSince ??= Date.now();
    if (Date.now() - lostSince < WAIT_MS) return;
    const key = await refused();
    if (lostSince === null) return;
    const text = key
      ? "Streamer was started again, with a new key: open the address that it prints now. (With --keep-token the address stays.)"
      : "Streamer does not answer: it may have been stopped, or the way to it, such as a tunnel, is gone. This page goes on by itself once it answers; nothing that was saved is lost.";
    if (lost.textContent !== text) lost.textContent = text;
    lost.hidden = false;
  }

  // It answers, but not to this page's cookie.
  async function refused() {
    try {
      return (await fetch(here("/api/live"), { method: "HEAD" })).status === 403;
    } catch {
      return false;
    }
  }

  function found() {
    lostSince = null;
    lost.hidden = true;
  }

  function open() {
    if (source) return;
    source = new EventSource(here("/events"));
    source.onopen = () => {
      found();
      listens ? show("on", "listening") : show("", "not listening");
    };
    source.onerror = () => {
      show("lost", "connection lost");
      tellLost();
      // After a response that is not a stream, browsers give up; streamer may have been restarted.
      if (source.readyState === EventSource.CLOSED) {
        close();
        setTimeout(open, RETRY_MS);
      }
    };
    for (const [name, handler] of Object.entries({ ...own, ...handlers })) {
      source.addEventListener(name, (event) => {
        const values = JSON.parse(event.data);
        if (own[name] && handler !== own[name]) own[name](values);
        handler(values);
      });
    }
  }

  function close() {
    source?.close();
    source = null;
  }

  const own = {
    status(values) {
      show(values.speaking ? "speech" : "on", values.speaking ? "speech" : "listening");
    },
    end() {
      show("", "ended");
    },
    hello(values) {
      if (values.end) own.end();
    },
  };

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  if (!document.hidden) open();
}
