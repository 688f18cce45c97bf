// Sends browsing events in batches. Each event has an id, so that a repeated event counts once.
import { uuid } from "./ids.js";
import { removePendingEvents, addPendingEvent, pendingEvents } from "./storage.js";

const BATCH_AFTER_MS = 30;
const MAX_BATCH = 100;
const TRIES = 4;
const REST_MS = 1500;
const MAX_KEEPALIVE_CHARS = 30_000; // characters: browsers limit requests that outlive their page to 64 KiB

const session = document.body.dataset.session;
// Includes events of earlier pages without a response. A repeated event_id counts once.
let waiting = pendingEvents();
let timer = null;

const send = async (events, tries) => {
  const body = JSON.stringify({ events });
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/v1/events", { method: "POST", headers, body, keepalive: body.length < MAX_KEEPALIVE_CHARS });
    if (answer.status < 500) removePendingEvents(events); // a refused event would be refused again
    if (answer.ok) dispatchEvent(new CustomEvent("eventssent", { detail: events.map((one) => one.event) }));
    if (answer.status < 500) return;
  } catch {
    // The network is away: try again.
  }
  if (tries > 1) setTimeout(() => send(events, tries - 1), REST_MS * (TRIES - tries + 1));
};

const flush = () => {
  clearTimeout(timer);
  timer = null;
  while (waiting.length) send(waiting.splice(0, MAX_BATCH), TRIES);
};

/** Sends one event, with the session, an id and the time added. */
export const trackEvent = (event, fields) => {
  const known = { event, event_id: uuid(), occurred_at: new Date().toISOString(), session_id: session };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));
  waiting.push({ ...known, ...given });
  addPendingEvent(waiting.at(-1));
  timer ??= setTimeout(flush, BATCH_AFTER_MS);
};

if (waiting.length) timer = setTimeout(flush, BATCH_AFTER_MS);

// A page that is left sends its remaining events.
addEventListener("pagehide", flush);
