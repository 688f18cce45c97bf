// Rows of recommendations: sends an event when a row comes into view, and reloads the row after every click.
import { trackEvent } from "./events.js";
import { sessionReady } from "./visitor.js";

const POLL_DELAYS_MS = [350, 500, 900, 1600];
/** Events after which the row changes within a few hundred milliseconds. The row is fetched until it has changed. */
const ROW_CHANGING_EVENTS = ["product_viewed"];

/** After this time, a row is fetched although the session is not known. */
const SESSION_TIMEOUT_MS = 2000;

const trackedIds = new Set();

const visibilityObserver = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    const { recommendation, strategy, model, surface, anchor, experiment, variant } = target.dataset;
    if (!isIntersecting || trackedIds.has(recommendation)) continue;
    trackedIds.add(recommendation);
    trackEvent("recommendation_shown", {
      recommendation_id: recommendation,
      surface,
      strategy,
      model_version: model,
      experiment,
      variant,
      anchor_product_id: anchor,
      items: [...target.querySelectorAll("[data-product]")].map(({ dataset }) => ({
        position: Number(dataset.position), product_id: dataset.product, seller_id: dataset.seller,
      })),
    });
  }
}, { threshold: 0.25 });

/** Sends an event for every row within `root` once it is in view. */
export const observeRows = (root) => {
  for (const row of root.querySelectorAll("[data-recommendation]")) visibilityObserver.observe(row);
};

const shown = (root) => [...root.querySelectorAll("[data-product]")].map(({ dataset }) => dataset.product);

/** The number of products that the API excludes at most. */
const MAX_EXCLUDED = 100;

/** The address of the row, without the products that the other rows of the page show. */
const rowAddress = (box) => {
  const others = [...document.querySelectorAll(".shelf [data-product]")].filter((card) => !box.contains(card));
  const products = [...new Set(others.map(({ dataset }) => dataset.product))].slice(0, MAX_EXCLUDED);
  const address = new URL(box.dataset.row, location.href);
  if (products.length) address.searchParams.set("exclude", products.join());
  return address;
};

const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body;

/** Whether the visitor points at the row or has the keyboard focus in it. A row in use is not replaced. */
const isInUse = (box) => box.matches(":hover") || box.querySelector(":focus-visible") !== null;

const replaceContent = (box, fresh) => {
  const before = shown(box);
  const first = box.hasAttribute("aria-busy");
  box.removeAttribute("aria-busy");
  box.replaceChildren(...fresh.childNodes);
  for (const card of box.querySelectorAll("[data-product]")) card.classList.toggle("fresh-in", !before.includes(card.dataset.product));
  observeRows(box);
  globalThis.htmx?.process(box);
  const heading = document.getElementById("for-you");
  heading.textContent = heading.dataset.then ?? heading.textContent;
  if (!first) document.getElementById("row-status").textContent = gettext("Updated after your last click");
};

/** Reloads the page's row after the visitor's clicks. */
export const keepRowCurrent = () => {
  const box = document.querySelector("[data-row]");
  if (!box) return;
  let latestPoll = 0;
  let pending = null; // the row to show once the current one is not in use
  const showPending = () => {
    if (!pending || (isInUse(box) && !box.hasAttribute("aria-busy"))) return;
    replaceContent(box, pending);
    pending = null;
  };
  /** Fetches the row and returns whether it has changed. */
  const fetchRow = async () => {
    if (box.closest("[hidden]")) return false;
    try {
      // A new visitor without a session would get two.
      await Promise.race([sessionReady, new Promise((resolve) => setTimeout(resolve, SESSION_TIMEOUT_MS))]);
      const response = await fetch(rowAddress(box));
      if (!response.ok) return false;
      const fresh = parsed(await response.text());
      const first = box.hasAttribute("aria-busy");
      if (!first && !shown(fresh).length) return false; // keep the current row instead of an empty one
      if (!first && shown(box).join() === shown(fresh).join()) return false;
      pending = fresh;
      showPending();
      return !first; // the first response may be from before the click
    } catch {
      return false; // the next click fetches again
    }
  };
  box.addEventListener("pointerleave", showPending);
  box.addEventListener("focusout", () => setTimeout(showPending));
  const pollUntilChanged = async () => {
    const poll = (latestPoll += 1);
    for (const delay of POLL_DELAYS_MS) {
      await new Promise((resolve) => setTimeout(resolve, delay));
      if (poll !== latestPoll || (await fetchRow())) return;
    }
  };
  addEventListener("eventssent", ({ detail }) => {
    if (detail.some((event) => ROW_CHANGING_EVENTS.includes(event))) pollUntilChanged();
  });
  addEventListener("cartchange", pollUntilChanged);
  // The browser restored this page from its cache: the row is outdated.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) pollUntilChanged();
  });
  if ("late" in box.dataset && !document.getElementById("product")) fetchRow();
  // If events can't be sent, the row is loaded without waiting for one.
  setTimeout(() => box.hasAttribute("aria-busy") && fetchRow(), 2500);
};
