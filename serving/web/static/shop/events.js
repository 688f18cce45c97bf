// Sends browsing events in batches. Each event has an id, so that a repeated event counts once.
import { uuid } from "./ids.js";
import { knownSession, sessionReady } from "./visitor.js";
import { removePendingEvents, addPendingEvent, pendingEvents } from "./storage.js";

const BATCH_AFTER_MS = 30;
const MAX_BATCH = 100;
const TRIES = 4;
const RETRY_DELAY_MS = 1500;
const MAX_KEEPALIVE_CHARS = 30_000; // browsers limit requests that outlive their page to 64 KiB

// Includes events of earlier pages that got no response. A repeated event_id counts once.
let queue = pendingEvents();
let timer = null;

const send = async (events, tries) => {
  const body = JSON.stringify({ events });
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch("/v1/events", { method: "POST", headers, body, keepalive: body.length < MAX_KEEPALIVE_CHARS });
    if (response.status < 500) removePendingEvents(events); // a refused event would be refused again
    if (response.ok) dispatchEvent(new CustomEvent("eventssent", { detail: events.map((one) => one.event) }));
    if (response.status < 500) return;
  } catch {
    // The network does not answer: try again.
  }
  if (tries > 1) setTimeout(() => send(events, tries - 1), RETRY_DELAY_MS * (TRIES - tries + 1));
};

const flush = () => {
  clearTimeout(timer);
  timer = null;
  const session = knownSession();
  if (!session) return; // the events stay in the queue, and in the browser's storage for the next page
  while (queue.length) send(queue.splice(0, MAX_BATCH).map((one) => ({ session_id: session, ...one })), TRIES);
};

/** Sends one event, with its id and time, and with its session once it is known. */
export const trackEvent = (event, fields) => {
  const base = { event, event_id: uuid(), occurred_at: new Date().toISOString() };
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value != null));
  queue.push({ ...base, ...given });
  addPendingEvent(queue.at(-1));
  timer ??= setTimeout(flush, BATCH_AFTER_MS);
};

if (queue.length) timer = setTimeout(flush, BATCH_AFTER_MS);
sessionReady.then(flush);

// A page that is left sends its remaining events.
addEventListener("pagehide", flush);
