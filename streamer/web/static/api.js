// Requests to this server, and the message when one fails.

let hideToast;

// Said where a place is kept for it, so that it covers nothing: beside the answer, or in the header.
export function toast(text) {
  const boxes = [...document.querySelectorAll(".toast")];
  const box = boxes.findLast((one) => one.parentElement.offsetParent !== null || one.parentElement.getClientRects().length);
  for (const other of boxes) if (other !== box) other.classList.remove("shown");
  box.textContent = text;
  box.classList.add("shown");
  clearTimeout(hideToast);
  hideToast = setTimeout(() => box.classList.remove("shown"), 5000);
}

// An address of this server under the path of this page, the one that the session's cookie is sent to.
export const here = (path) => `.${path}`;

// Which profile's numbers this page shows: where another has taken its place, nothing is done.
const shown = { "X-Streamer-Numbering": document.body.dataset.numbering };
const REPLACED = 410;

export async function ask(path, options = {}) {
  const response = await fetch(here(path), { ...options, headers: { ...options.headers, ...shown } });
  if (response.status === REPLACED) location.reload();
  return response;
}

async function read(response) {
  const values = await response.json().catch(() => ({}));
  if (!response.ok) {
    const error = new Error(values.error || `the server answered ${response.status}`);
    throw Object.assign(error, { status: response.status });
  }
  return values;
}

export async function get(path, values = {}) {
  const query = new URLSearchParams(values).toString();
  return read(await ask(query ? `${path}?${query}` : path));
}

export async function post(path, values = {}) {
  return read(
    await ask(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(values),
    }),
  );
}

// Runs an action; an error is shown, not thrown.
export async function trying(action) {
  try {
    return await action();
  } catch (error) {
    toast(error instanceof TypeError ? "Streamer does not respond: is it still running?" : error.message);
    return undefined;
  }
}
