// A half-given answer, kept in this tab until it is saved: loading the page again does not lose it.

const NAME = "streamer-draft";

export function readDraft() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME));
  } catch {
    return null;
  }
}

export function keepDraft(draft) {
  sessionStorage.setItem(NAME, JSON.stringify(draft));
}

export function forgetDraft() {
  sessionStorage.removeItem(NAME);
}
