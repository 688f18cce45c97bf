// Keeps the page "Live" up to date: one stream, whose events replace the parts of the page.

const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;
/** The server sends something every 15 seconds. A connection that is silent for so long is lost. */
const SILENCE_MS = 45_000;
/** What a screen reader hears about figures that change all the time. */
const HEARD_EVERY_MS = 20_000;
/** Answers after which trying again changes nothing. */
const REFUSED = new Set([401, 403, 404]);

const board = document.getElementById("live");
const pauseButton = document.getElementById("live-pause");
const heard = document.getElementById("live-heard");

let isPaused = false;
let hasEnded = false;
let failures = 0;
let retryTimer = 0;
/** The controller of the open stream; null without one. There is at most one. */
let stream = null;
let heardAt = -Infinity;
let toHear = null;

/** Shows one of the texts in `data-state`, and colours the dot. */
const showState = (state) => {
  for (const text of board.querySelectorAll("[data-state]")) text.hidden = text.dataset.state !== state;
  document.getElementById("live-dot").className = `dot ${{ live: "on", waiting: "off", ended: "off" }[state] ?? ""}`;
};

/** Writes text for screen readers, at most every `HEARD_EVERY_MS`; the newest text counts. */
const hear = (text) => {
  if (toHear !== null) return void (toHear = text);
  const wait = Math.max(0, heardAt + HEARD_EVERY_MS - performance.now());
  toHear = text;
  setTimeout(() => {
    if (!isPaused && heard.textContent !== toHear) heard.textContent = toHear;
    heardAt = performance.now();
    toHear = null;
  }, wait);
};

/** Replaces a list entry by entry, so that entries that stay are not drawn again. Marks new ones. */
const replaceList = (region, fresh) => {
  const [list, next] = [region, fresh].map((each) => [...each.children].find((child) => child.matches("ol")));
  if (!list || !next) return region.replaceChildren(...fresh.childNodes);
  const known = new Map([...list.children].map((entry) => [entry.dataset.key, entry]));
  for (const entry of next.children) {
    const before = known.get(entry.dataset.key);
    if (!before) entry.classList.add("new");
  }
  const entries = [...next.children].map((entry) => {
    const before = known.get(entry.dataset.key);
    return before && before.innerHTML === entry.innerHTML ? before : entry;
  });
  list.replaceChildren(...entries);
};

const replaceRegion = (name, html) => {
  const region = document.getElementById(`live-${name}`);
  if (!region) return;
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  if (name === "said") return hear(fresh.content.textContent.trim().replace(/\s+/g, " "));
  const focused = region.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  if (name === "orders") replaceList(region, fresh.content);
  else region.replaceChildren(...fresh.content.childNodes);
  if (focused) region.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
};

/** Calls `handle` for each event of a response, until its end. `alive` is called for everything that arrives. */
const readEvents = async (response, handle, alive) => {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    alive();
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n");
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n");
      if (name) handle(name, data);
    }
  }
};

const close = () => {
  clearTimeout(retryTimer);
  stream?.abort();
  stream = null;
};

const end = () => {
  close();
  hasEnded = true;
  pauseButton.hidden = true;
  showState("ended");
};

const retry = (response) => {
  stream = null;
  failures += 1;
  const asked = Number(response?.headers.get("Retry-After") ?? 0) * 1000;
  const pause = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
  showState("waiting");
  retryTimer = setTimeout(open, Math.max(asked, pause * (0.5 + Math.random() / 2)));
};

/** Opens the stream, unless there is one, and reads it to its end. */
const open = async () => {
  if (stream || isPaused || hasEnded || document.hidden) return;
  const own = stream = new AbortController();
  let silence = 0;
  let mayReopen = false;
  const alive = () => {
    clearTimeout(silence);
    silence = setTimeout(() => own.abort(), SILENCE_MS);
  };
  const handle = (name, html) => {
    if (own !== stream) return;
    // The stream of an access token ends with the token. The next one has the token that replaced it, if there is one.
    if (name === "ended") mayReopen = true;
    else replaceRegion(name, html);
    if (failures || name === "fresh") showState("live");
    failures = 0;
  };
  let response = null;
  try {
    alive();
    response = await fetch(board.dataset.stream, { signal: own.signal, headers: { Accept: "text/event-stream" } });
    if (REFUSED.has(response.status)) return own === stream && end();
    if (response.ok) await readEvents(response, handle, alive);
  } catch {
    // The network has failed, or this page has closed the stream.
  } finally {
    clearTimeout(silence);
  }
  if (own !== stream) return;
  stream = null;
  if (mayReopen) return open();
  retry(response);
};

pauseButton.addEventListener("click", () => {
  isPaused = !isPaused;
  for (const text of pauseButton.querySelectorAll("[data-when]")) text.hidden = (text.dataset.when === "paused") !== isPaused;
  close();
  showState(isPaused ? "paused" : "connecting");
  open();
});

document.addEventListener("visibilitychange", () => {
  if (isPaused || hasEnded) return;
  close();
  open();
});
// A page that the browser may show again from its cache must not hold a connection.
addEventListener("pagehide", close);

pauseButton.hidden = false;
showState("connecting");
open();
