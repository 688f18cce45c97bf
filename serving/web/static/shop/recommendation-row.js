// Rows of recommendations: sends an event when a row is seen, and reloads the row after every click.
import { trackEvent } from "./events.js";

const POLL_DELAYS_MS = [350, 500, 900, 1600];
/** Events after which the row changes within a few hundred milliseconds. The row is fetched until it has changed. */
const ROW_CHANGING_EVENTS = ["product_viewed", "cart_changed"];

const seen = new Set();

const told = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    const { recommendation, strategy, surface, anchor } = target.dataset;
    if (!isIntersecting || seen.has(recommendation)) continue;
    seen.add(recommendation);
    trackEvent("recommendation_shown", {
      recommendation_id: recommendation,
      surface,
      strategy,
      anchor_product_id: anchor,
      items: [...target.querySelectorAll("[data-product]")].map(({ dataset }) => ({
        position: Number(dataset.position), product_id: dataset.product, seller_id: dataset.seller,
      })),
    });
  }
}, { threshold: 0.25 });

/** Sends an event for every row within `root` once it is in view. */
export const observeRows = (root) => {
  for (const row of root.querySelectorAll("[data-recommendation]")) told.observe(row);
};

const shown = (root) => [...root.querySelectorAll("[data-product]")].map(({ dataset }) => dataset.product);

const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body;

/** Whether the visitor points at the row or moves through it by keyboard. It is not replaced meanwhile. */
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
  if (!first) document.getElementById("row-status").textContent = "Updated after your last click";
};

/** Keeps the page's row up to date with the visitor's clicks. */
export const keepRowCurrent = () => {
  const box = document.querySelector("[data-row]");
  if (!box) return;
  let round = 0;
  let next = null;
  const settle = () => {
    if (!next || (isInUse(box) && !box.hasAttribute("aria-busy"))) return;
    replaceContent(box, next);
    next = null;
  };
  /** Fetches the row and returns whether it has changed. */
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.row);
      if (!answer.ok) return false;
      const fresh = parsed(await answer.text());
      const first = box.hasAttribute("aria-busy");
      if (!first && !shown(fresh).length) return false; // keep the row instead of showing nothing
      if (!first && shown(box).join() === shown(fresh).join()) return false;
      next = fresh;
      settle();
      return !first; // the first response may be from before the click
    } catch {
      return false; // the next click fetches again
    }
  };
  box.addEventListener("pointerleave", settle);
  box.addEventListener("focusout", () => setTimeout(settle));
  const pollUntilChanged = async () => {
    const own = (round += 1);
    for (const rest of POLL_DELAYS_MS) {
      await new Promise((resolve) => setTimeout(resolve, rest));
      if (own !== round || (await ask())) return;
    }
  };
  addEventListener("eventssent", ({ detail }) => {
    if (detail.some((event) => ROW_CHANGING_EVENTS.includes(event))) pollUntilChanged();
  });
  // The browser restored this page from its cache: the row is outdated.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) pollUntilChanged();
  });
  if ("late" in box.dataset && !document.getElementById("product")) ask();
  // If events can't be sent, the row is loaded without waiting for one.
  setTimeout(() => box.hasAttribute("aria-busy") && ask(), 2500);
};
