// Rows of recommendations: told when they are seen, and asked for again after every click.
import { tell } from "./events.js";

const ASK_AFTER_MS = [350, 500, 900, 1600];
/** A click is in the next answer after some hundred milliseconds: asked soon, and again until the row has moved. */
const MOVING = ["product_viewed", "cart_changed"];

const seen = new Set();

const told = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    const { recommendation, strategy, surface, anchor } = target.dataset;
    if (!isIntersecting || seen.has(recommendation)) continue;
    seen.add(recommendation);
    tell("recommendation_shown", {
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

/** Tells of every row within `root` once it is in view. */
export const watchRows = (root) => {
  for (const row of root.querySelectorAll("[data-recommendation]")) told.observe(row);
};

const shown = (root) => [...root.querySelectorAll("[data-product]")].map(({ dataset }) => dataset.product);

const parsed = (html) => new DOMParser().parseFromString(html, "text/html").body;

/** Someone points at the row or walks through it by keyboard: it does not move under their hand. */
const inHand = (box) => box.matches(":hover") || box.querySelector(":focus-visible") !== null;

const takeOver = (box, fresh) => {
  const before = shown(box);
  const first = box.hasAttribute("aria-busy");
  box.removeAttribute("aria-busy");
  box.replaceChildren(...fresh.childNodes);
  for (const card of box.querySelectorAll("[data-product]")) card.classList.toggle("fresh-in", !before.includes(card.dataset.product));
  watchRows(box);
  globalThis.htmx?.process(box);
  const heading = document.getElementById("for-you");
  heading.textContent = heading.dataset.then ?? heading.textContent;
  if (!first) document.getElementById("row-status").textContent = "Updated after your last click";
};

/** Keeps the page's row up to date with the visitor's clicks. */
export const followRow = () => {
  const box = document.querySelector("[data-row]");
  if (!box) return;
  let round = 0;
  let next = null;
  const settle = () => {
    if (!next || (inHand(box) && !box.hasAttribute("aria-busy"))) return;
    takeOver(box, next);
    next = null;
  };
  /** Asks for the row; says whether it has moved. */
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.row);
      if (!answer.ok) return false;
      const fresh = parsed(await answer.text());
      const first = box.hasAttribute("aria-busy");
      if (!first && !shown(fresh).length) return false; // what is there is better than nothing
      if (!first && shown(box).join() === shown(fresh).join()) return false;
      next = fresh;
      settle();
      return !first; // the first answer may be of before the click
    } catch {
      return false; // the next click asks again
    }
  };
  box.addEventListener("pointerleave", settle);
  box.addEventListener("focusout", () => setTimeout(settle));
  const askUntilMoved = async () => {
    const own = (round += 1);
    for (const rest of ASK_AFTER_MS) {
      await new Promise((resolve) => setTimeout(resolve, rest));
      if (own !== round || (await ask())) return;
    }
  };
  addEventListener("told", ({ detail }) => {
    if (detail.some((event) => MOVING.includes(event))) askUntilMoved();
  });
  // Back from a product by the browser's own memory of this page: its row is of before.
  addEventListener("pageshow", ({ persisted }) => {
    if (persisted) askUntilMoved();
  });
  if ("late" in box.dataset && !document.getElementById("product")) ask();
  // While events can't be told, a row that waits for one is shown as it is.
  setTimeout(() => box.hasAttribute("aria-busy") && ask(), 2500);
};
