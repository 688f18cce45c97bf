// Browser storage: the placed orders, pending events, and the referral of a product page.
import { token } from "./ids.js";

const MAX_ORDERS = 50;
const REFERRAL_TTL_MS = 60_000;

// `store` is the name of the store: reading the property `localStorage` throws if the browser forbids storage.
const read = (store, key, fallback) => {
  try {
    return JSON.parse(globalThis[store].getItem(key)) ?? fallback;
  } catch {
    return fallback; // unreadable or forbidden: the shop works without it
  }
};

const write = (store, key, value) => {
  try {
    if (value === null) globalThis[store].removeItem(key);
    else globalThis[store].setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or forbidden: the page works without it.
  }
};

const CART = "souk.cart";
/** The cart that a former version of the shop kept in this browser: `{id, lines: [{product_id, seller_id, quantity, …}]}` */
export const storedCart = () => ({ id: "cart", lines: [], ...read("localStorage", CART, null) });
export const removeStoredCart = (productId) => {
  const stored = storedCart();
  const lines = stored.lines.filter((one) => one.product_id !== productId);
  write("localStorage", CART, lines.length ? { ...stored, lines } : null);
};

/** When this browser asked last what is in the cart, in milliseconds. Its other tabs get an event of a new value. */
export const CART_CHECKED = "souk.cart-checked";
export const cartCheckedAt = () => read("localStorage", CART_CHECKED, 0);
export const cartChecked = () => write("localStorage", CART_CHECKED, Date.now());

const ORDERS = "souk.orders";
// Orders of a person of the demo are only in their account. Those of the guest are listed again after the demo.
export const isDemo = () => document.cookie.split("; ").includes("souk_signed_in=demo");
export const orders = () => (isDemo() ? [] : read("localStorage", ORDERS, []));
export const saveOrder = (order) => {
  if (isDemo()) return;
  const others = orders().filter((one) => one.order_id !== order.order_id);
  write("localStorage", ORDERS, [order, ...others].slice(0, MAX_ORDERS));
};

const CHECKOUT = "souk.checkout";
const CHECKOUT_TTL_MS = 3_600_000;
/**
 * Returns the checkout to send, `{key, body}`. A checkout of the last hour that got no response is sent again first, because
 * it may have been accepted. Otherwise, it is a new checkout with this body.
 */
export const startCheckout = (body) => {
  const stored = read("localStorage", CHECKOUT, null);
  if (stored && (stored.body === body || Date.now() - stored.at < CHECKOUT_TTL_MS)) return stored;
  const opened = { key: token(), body, at: Date.now() };
  write("localStorage", CHECKOUT, opened);
  return opened;
};
/** Deletes the checkout after it was accepted or refused. */
export const endCheckout = () => write("localStorage", CHECKOUT, null);

const PENDING = "souk.pending-events";
const MAX_PENDING = 100;
const PENDING_TTL_MS = 600_000;
/** Returns the events of the last ten minutes that got no response, of this page and of earlier pages. */
export const pendingEvents = () => read("sessionStorage", PENDING, []).filter((one) => Date.now() - Date.parse(one.occurred_at) < PENDING_TTL_MS);
export const addPendingEvent = (event) => write("sessionStorage", PENDING, [...pendingEvents(), event].slice(-MAX_PENDING));
export const removePendingEvents = (events) => {
  const ids = new Set(events.map((one) => one.event_id));
  const left = pendingEvents().filter((one) => !ids.has(one.event_id));
  write("sessionStorage", PENDING, left.length ? left : null);
};

const REFERRAL = "souk.referral";
/** Stores what led to a product, for the next page. */
export const saveReferral = (productId, how) => write("sessionStorage", REFERRAL, { productId, how, at: Date.now() });
/** Returns what led to this product, and deletes it. */
export const takeReferral = (productId) => {
  const referral = read("sessionStorage", REFERRAL, null);
  write("sessionStorage", REFERRAL, null);
  return referral?.productId === productId && Date.now() - referral.at < REFERRAL_TTL_MS ? referral.how : null;
};

const SEARCHES = "souk.searches";
const MAX_SEARCHES = 6;

/** The newest searches of this browser, the newest first. */
export const newestSearches = () => read("localStorage", SEARCHES, []);

/** Stores a search, so that it is offered again. */
export const saveSearch = (text) => {
  if (text) write("localStorage", SEARCHES, [text, ...newestSearches().filter((one) => one !== text)].slice(0, MAX_SEARCHES));
};
