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

/** Takes over a new answer where it differs; says whether it does. */
const takeOver = (box, html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const before = shown(box);
  const after = shown(fresh);
  const first = box.hasAttribute("aria-busy");
  if (!first && before.join() === after.join()) return false;
  if (box.contains(document.activeElement) || box.matches(":hover") && !first) return false; // not under a hand
  box.removeAttribute("aria-busy");
  box.replaceChildren(...fresh.childNodes);
  for (const card of box.querySelectorAll("[data-product]")) card.classList.toggle("fresh-in", !before.includes(card.dataset.product));
  watchRows(box);
  globalThis.htmx?.process(box);
  if (!first) document.getElementById("row-status").textContent = "Updated after your last click";
  return true;
};

/** Keeps the page's row up to date with the visitor's clicks. */
export const followRow = () => {
  const box = document.querySelector("[data-row]");
  if (!box) return;
  let round = 0;
  const ask = async () => {
    try {
      const answer = await fetch(box.dataset.row);
      return answer.ok && takeOver(box, await answer.text());
    } catch {
      return false; // the next click asks again
    }
  };
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
