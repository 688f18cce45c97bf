// The visitor's cart, as its cookie says. The server keeps the cart, and sets the cookie (serving/web/storefront/visit.py).
import { sessionReady } from "./visitor.js";
import { cartChecked, cartCheckedAt, isDemo, removeStoredCart, storedCart } from "./storage.js";

const MESSAGE_MS = 8_000;
/** After this time, another device may have changed the cart. */
const CHECK_AFTER_MS = 60_000;

const cookie = (name) => document.cookie.match(`(?:^|; )${name}=([^;]*)`)?.[1];

/** The number of units in the cart. */
export const unitsInCart = () => parseInt(cookie("souk_cart")) || 0;

/** Says to this page and to the browser's other tabs that the cart may have changed. */
export const tellChange = () => {
  cartChecked();
  dispatchEvent(new Event("cartchange"));
};

/** Shows a message for a few seconds at the bottom of the window. */
export const showMessage = (textContent) => {
  document.getElementById("cart-said")?.remove();
  const message = Object.assign(document.createElement("p"), { id: "cart-said", className: "card cart-said", role: "alert", textContent });
  document.body.append(message);
  setTimeout(() => message.remove(), MESSAGE_MS);
};

export const NO_ANSWER = gettext("The shop does not answer, and nothing was changed. Try again in a moment.");
const SESSION_ENDED = gettext("Your session has ended. Sign in again to change your cart.");

/** Puts units into the cart: once for a key. Returns the response; null without one. */
const put = async ({ product, seller }, quantity, recommendation, key) => {
  await sessionReady; // without a session, this request and that for the session would make two
  const body = new URLSearchParams({ product_id: product, quantity });
  if (seller) body.set("seller_id", seller);
  if (recommendation) body.set("recommendation_id", recommendation);
  const headers = { Accept: "application/json", ...(key && { "Idempotency-Key": key }) };
  return fetch("/shop/cart/lines", { method: "POST", headers, body }).catch(() => null);
};

const isDone = (response) => response?.status === 204; // a person whose session has ended gets the page of the sign-in

/** Puts units of the product that a data set describes into the cart. Returns whether they are there, and says why not. */
export const addToCart = async (product, quantity, recommendation) => {
  const response = await put(product, quantity, recommendation);
  if (isDone(response)) {
    tellChange();
    return true;
  }
  const problem = response && !response.ok ? await response.json().catch(() => null) : null;
  showMessage(problem?.detail ?? (response?.ok ? SESSION_ENDED : NO_ANSWER));
  return false;
};

/** Asks what is in the cart now, which sets the cookie. */
export const checkCart = async () => {
  const response = await fetch("/shop/cart/state").catch(() => null);
  if (response?.ok) tellChange();
};

/** Asks what is in the cart of whom no cookie says it yet, and once it may be out of date. */
export const checkOldCart = () => {
  const said = cookie("souk_cart");
  const isKnown = /^\d/.test(said ?? "");
  const mayHaveOne = said !== undefined || cookie("souk_signed_in") !== undefined;
  if (isKnown ? Date.now() - cartCheckedAt() > CHECK_AFTER_MS : mayHaveOne) checkCart();
};

/** Puts what a former version of the shop kept in this browser into the cart: each line once, also with two open pages. */
export const takeStoredCart = () => navigator.locks?.request("souk.cart", async () => {
  if (isDemo()) return; // it is the guest's, who comes back after the demo
  const { id, lines } = storedCart();
  for (const line of lines) {
    const named = { product: line.product_id, seller: line.seller_id };
    const response = await put(named, line.quantity, line.recommendation_id, `${id}-${encodeURIComponent(line.product_id)}`);
    // What is not for sale any more, or does not fit, is refused for good. Otherwise, the next page tries again.
    if (!isDone(response) && ![400, 409, 422].includes(response?.status)) return;
    removeStoredCart(line.product_id);
    tellChange();
    dispatchEvent(new Event("carttaken"));
  }
});
