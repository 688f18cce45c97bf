// The visitor's cart, as its cookie says. The server keeps the cart, and sets the cookie (serving/web/storefront/visit.py).
import { sessionReady } from "./visitor.js";
import { cartChecked, cartCheckedAt, removeStoredCart, storedCart } from "./storage.js";

const MESSAGE_MS = 8_000;
/** After this time, another device may have changed the cart. */
const CHECK_AFTER_MS = 60_000;

const said = () => document.cookie.match(/(?:^|; )souk_cart=(\d+):/)?.[1];

/** The number of units in the cart. */
export const unitsInCart = () => Number(said() ?? 0);

/** Says to this page and to the browser's other tabs that the cart may have changed. */
export const tellChange = () => {
  cartChecked();
  dispatchEvent(new Event("cartchange"));
};

/** Shows a message for a few seconds at the bottom of the window. */
const showMessage = (textContent) => {
  document.getElementById("cart-said")?.remove();
  const message = Object.assign(document.createElement("p"), { id: "cart-said", className: "card cart-said", role: "alert", textContent });
  document.body.append(message);
  setTimeout(() => message.remove(), MESSAGE_MS);
};

/** Puts units into the cart. Returns the response; null without one. */
const put = async ({ product, seller }, quantity, recommendation) => {
  await sessionReady; // without a session, this request and that for the session would make two
  const body = new URLSearchParams({ product_id: product, quantity });
  if (seller) body.set("seller_id", seller);
  if (recommendation) body.set("recommendation_id", recommendation);
  return fetch("/shop/cart/lines", { method: "POST", headers: { Accept: "application/json" }, body }).catch(() => null);
};

/** Puts units of the product that a data set describes into the cart. Returns whether they are there, and says why not. */
export const addToCart = async (product, quantity, recommendation) => {
  const response = await put(product, quantity, recommendation);
  if (response?.ok) {
    tellChange();
    return true;
  }
  const problem = await response?.json().catch(() => null);
  showMessage(problem?.detail ?? gettext("The shop does not answer. Try again in a moment."));
  return false;
};

/** Asks what is in the cart now, which sets the cookie. */
export const checkCart = async () => {
  const response = await fetch("/shop/cart/state").catch(() => null);
  if (response?.ok) tellChange();
};

/** Asks what is in the cart: of a person of whom the cookie says nothing yet, and once it may be out of date. */
export const checkOldCart = () => {
  const isPerson = document.cookie.includes("souk_signed_in=");
  const isOld = Date.now() - cartCheckedAt() > CHECK_AFTER_MS;
  if (said() ? isOld : isPerson) checkCart();
};

/** Puts what a former version of the shop kept in this browser into the cart: each line once, also with two open pages. */
export const takeStoredCart = () => navigator.locks?.request("souk.cart", async () => {
  for (const line of storedCart()) {
    const response = await put({ product: line.product_id, seller: line.seller_id }, line.quantity, line.recommendation_id);
    if (!response || response.status >= 500) return; // the next page tries again
    removeStoredCart(line.product_id); // what is not for sale any more, the cart refuses
    if (response.ok) tellChange();
    dispatchEvent(new Event("carttaken"));
  }
});
