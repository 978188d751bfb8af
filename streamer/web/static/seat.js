// Which page this is: a question that is asked a second time comes to the page of the first answer.

const NAME = "streamer-seat";

const fresh = () => crypto.getRandomValues(new Uint32Array(3)).join("-");

// True while this page lives, for the first page that asks; a copied tab has the name of the first.
function isMine(seat) {
  if (!navigator.locks) return Promise.resolve(true);
  return new Promise((found) => {
    navigator.locks.request(`${NAME}-${seat}`, { ifAvailable: true }, (lock) => {
      found(Boolean(lock));
      return lock ? new Promise(() => {}) : undefined;
    });
  });
}

// The name is kept when the page is loaded again.
export async function takeSeat() {
  let seat = sessionStorage.getItem(NAME) ?? fresh();
  if (!(await isMine(seat))) {
    seat = fresh();
    await isMine(seat);
  }
  sessionStorage.setItem(NAME, seat);
  return seat;
}
