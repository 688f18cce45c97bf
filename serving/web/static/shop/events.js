// Tells the shop what happens on its pages: batches of browsing events, each with an id so that a retry counts once.
import { uuid } from "./ids.js";
import { forgetUntold, keepUntold, untold } from "./kept.js";

const BATCH_AFTER_MS = 30;
const MOST = 100;
const TRIES = 4;
const REST_MS = 1500;
const MOST_KEPT_ALIVE = 30_000; // characters: a browser lets 64 KiB outlive their page, and refuses a request beyond

const session = document.body.dataset.session;
// What the page before could not tell, or was left before the answer came: the same event_id counts once.
let waiting = untold();
let timer = null;

const send = async (events, tries) => {
  const body = JSON.stringify({ events });
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/v1/events", { method: "POST", headers, body, keepalive: body.length < MOST_KEPT_ALIVE });
    if (answer.status < 500) forgetUntold(events); // the others are never to be taken: not worth a visitor's trouble
    if (answer.ok) dispatchEvent(new CustomEvent("told", { detail: events.map((one) => one.event) }));
    if (answer.status < 500) return;
  } catch {
    // The network is away: try again.
  }
  if (tries > 1) setTimeout(() => send(events, tries - 1), REST_MS * (TRIES - tries + 1));
};

const flush = () => {
  clearTimeout(timer);
  timer = null;
  while (waiting.length) send(waiting.splice(0, MOST), TRIES);
};

/** Tells one event; its session, id and time are added here. */
export const tell = (event, fields) => {
  const known = { event, event_id: uuid(), occurred_at: new Date().toISOString(), session_id: session };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));
  waiting.push({ ...known, ...given });
  keepUntold(waiting.at(-1));
  timer ??= setTimeout(flush, BATCH_AFTER_MS);
};

if (waiting.length) timer = setTimeout(flush, BATCH_AFTER_MS);

// A page that is left sends what it still has.
addEventListener("pagehide", flush);
