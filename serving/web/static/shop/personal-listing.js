// Shows a search or a category in the visitor's order. The page itself is the same for every visitor, so that caches may store it.
import { sessionReady } from "./visitor.js";

/** After this time, the page keeps its order: the visitor is reading it. */
const TIMEOUT_MS = 1500;

/** Whether the visitor points at the list, has the keyboard focus in it, or has loaded more. A list in use keeps its order. */
const isInUse = (list, cards) => list.matches(":hover") || list.querySelector(":focus-visible") !== null || list.querySelectorAll("[data-product]").length !== cards;

/** Replaces the products of a list by the same list in the visitor's order, if there is one. */
export const personalise = async (list) => {
  if (!list.dataset.personal) return;
  const cards = list.querySelectorAll("[data-product]").length;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    await Promise.race([sessionReady, new Promise((_, reject) => signal.addEventListener("abort", reject))]);
    const response = await fetch(list.dataset.personal, { signal });
    if (response.status !== 200) return; // nothing is known of the visitor
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
    if (isInUse(list, cards)) return;
    list.replaceChildren(...fresh.querySelector(".shelf").childNodes);
    document.getElementById("listing-order").replaceChildren(fresh.querySelector(".segments"));
    document.getElementById("listing-status").replaceChildren(...fresh.querySelector(".fresh").childNodes);
    globalThis.htmx?.process(list);
  } catch {
    // The page keeps its order.
  }
};
