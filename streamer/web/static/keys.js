// Keys for the whole page, except where somebody writes or a control needs them itself.

const WRITTEN_IN = "input:not([type=range]):not([type=checkbox]), select, textarea";

function belongsToControl(target, key) {
  if (target.matches(WRITTEN_IN)) return true;
  if (target.matches("input[type=range]")) return key.startsWith("Arrow") || key === "Home" || key === "End";
  // A button that was reached by the keyboard is pressed by these.
  if (target.matches("button, a, input[type=checkbox], summary")) return key === "Enter" || key === " ";
  return false;
}

// handler(key, shift): true when it was for it.
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
  // A click on a button must not keep the keys from working: the page gets them back.
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("button");
    if (button && event.detail > 0 && !button.closest("dialog")) button.blur();
  });
}
