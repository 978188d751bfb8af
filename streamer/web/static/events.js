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

  function open() {
    if (source) return;
    source = new EventSource(here("/events"));
    source.onopen = () => (listens ? show("on", "listening") : show("", "not listening"));
    source.onerror = () => {
      show("lost", "connection lost");
      // After a response that is not a stream, browsers give up; streamer may have been restarted.
      if (source.readyState === EventSource.CLOSED) {
        close();
        setTimeout(open, 2000);
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
