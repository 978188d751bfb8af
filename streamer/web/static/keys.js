// Keys for the whole page, except in text fields and in controls that need them.

const WRITTEN_IN = "input:not([type=range]):not([type=checkbox]), select, textarea";

function belongsToControl(target, key) {
  if (target.matches(WRITTEN_IN)) return true;
  if (target.matches("input[type=range]")) return key.startsWith("Arrow") || key === "Home" || key === "End";
  // A button with the keyboard focus is pressed by these.
  if (target.matches("button, a, input[type=checkbox], summary")) return key === "Enter" || key === " ";
  return false;
}

// handler(key, shift): returns true when it handled the key.
export function onKeys(handler) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape" && event.target.matches(WRITTEN_IN)) return event.target.blur();
    if (event.repeat && !event.key.startsWith("Arrow")) return;
    if (belongsToControl(event.target, event.key)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (handler(key, event.shiftKey)) event.preventDefault();
  });
  // After a click on a button the page gets the keys back.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button && event.detail > 0 && !button.closest("dialog")) button.blur();
  });
}
