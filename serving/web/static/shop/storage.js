// Browser storage: the cart, the placed orders, pending events, and the referral of a product page.
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
/** The limits of an order (producers/services/orders/model.py, storefront/cart.py). A cart never holds more. */
export const MAX_LINES = 100;
export const MAX_UNITS = 999;

const CART_COOKIE_CHARS = 3_000; // a browser refuses a cookie of more than 4,096 bytes
const CART_COOKIE_AGE_S = 34_560_000;

/** Tells the server which products are in the cart, so that its rows of recommendations say nothing else. */
export const tellCart = () => {
  let products = cart().lines.map((line) => encodeURIComponent(line.product_id)).reverse().join();
  if (products.length > CART_COOKIE_CHARS) products = products.slice(0, products.lastIndexOf(",", CART_COOKIE_CHARS));
  document.cookie = `souk_cart=${products}; path=/shop; samesite=lax; max-age=${products ? CART_COOKIE_AGE_S : 0}`;
};

const writeCart = (stored) => {
  write("localStorage", CART, stored);
  tellCart();
  dispatchEvent(new Event("cartchange"));
};

const withinLimits = (lines) => lines.slice(0, MAX_LINES).map((line) => ({ ...line, quantity: Math.min(line.quantity, MAX_UNITS) }));

/** `{id, lines: [{product_id, seller_id, name, category, unit_price_minor, currency, quantity, recommendation_id}]}` */
export const cart = () => {
  const stored = read("localStorage", CART, null) ?? { id: token(), lines: [] };
  return { ...stored, lines: withinLimits(stored.lines) };
};

/** Sets the quantity of a product in the cart, up to the limits (0 removes it). Returns the quantity before and after. */
export const setQuantity = (product, quantity) => {
  const stored = cart();
  const line = stored.lines.find((one) => one.product_id === product.product_id);
  const before = line?.quantity ?? 0;
  const after = line || stored.lines.length < MAX_LINES ? Math.max(0, Math.min(quantity, MAX_UNITS)) : 0;
  if (after === 0) stored.lines = stored.lines.filter((one) => one !== line);
  else if (line) Object.assign(line, product, { quantity: after });
  else stored.lines.push({ ...product, quantity: after });
  writeCart(stored);
  return { cart_id: stored.id, before, after };
};

export const quantityOf = (productId) => cart().lines.find((one) => one.product_id === productId)?.quantity ?? 0;

/** Removes the bought units from the cart. Units that were added during the checkout stay. */
export const removeFromCart = (bought) => {
  const stored = cart();
  const unitsOf = new Map(bought.map((one) => [one.product_id, one.quantity]));
  const left = stored.lines.map((line) => ({ ...line, quantity: line.quantity - (unitsOf.get(line.product_id) ?? 0) }));
  stored.lines = left.filter((line) => line.quantity > 0);
  writeCart(stored.lines.length ? stored : null);
};

const ORDERS = "souk.orders";
// Orders of a person of the demo are only in their account. Those of the guest are listed again after the demo.
const isDemo = () => document.cookie.split("; ").includes("souk_signed_in=demo");
export const orders = () => (isDemo() ? [] : read("localStorage", ORDERS, []));
export const saveOrder = (order) => {
  if (isDemo()) return;
  const others = orders().filter((one) => one.order_id !== order.order_id);
  write("localStorage", ORDERS, [order, ...others].slice(0, MAX_ORDERS));
};

const UNSETTLED = "souk.unsettled";
const MAX_UNSETTLED = 20;
/** The orders of this browser that are neither confirmed nor cancelled as far as it knows. */
export const unsettledOrders = () => read("localStorage", UNSETTLED, []);
export const addUnsettledOrder = (orderId) => write("localStorage", UNSETTLED, [orderId, ...unsettledOrders()].slice(0, MAX_UNSETTLED));
/** Returns whether the order was unsettled, and settles it. */
export const settleOrder = (orderId) => {
  const before = unsettledOrders();
  const left = before.filter((one) => one !== orderId);
  write("localStorage", UNSETTLED, left.length ? left : null);
  return left.length < before.length;
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
