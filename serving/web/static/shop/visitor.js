// The session of this browser. A page that is the same for every visitor does not contain it, so a request returns it.
const MAX_RETRY_DELAY_MS = 8000;

let session = document.body.dataset.session;

/** Returns the session id if it is known yet. */
export const knownSession = () => session;

const load = async () => {
  for (let delay = 500; !session; delay = Math.min(delay * 2, MAX_RETRY_DELAY_MS)) {
    try {
      const response = await fetch("/shop/visitor");
      if (response.ok) ({ session } = await response.json());
    } catch {
      // The network does not answer: try again.
    }
    if (!session) await new Promise((resolve) => setTimeout(resolve, delay));
  }
  document.body.dataset.session = session;
  return session;
};

/** The session id, once it is known. */
export const sessionReady = load();
