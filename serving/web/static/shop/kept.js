// What this browser keeps: the cart, the orders that were placed, how the visitor came to a product.
import { token } from "./ids.js";

const MOST_ORDERS = 50;
const CAME_WITHIN_MS = 60_000;

// A store is named: where it is forbidden, even to look at it throws.
const read = (store, key, otherwise) => {
  try {
    return JSON.parse(globalThis[store].getItem(key)) ?? otherwise;
  } catch {
    return otherwise; // unreadable, or a browser that keeps nothing: the shop goes on
  }
};

const write = (store, key, value) => {
  try {
    if (value === null) globalThis[store].removeItem(key);
    else globalThis[store].setItem(key, JSON.stringify(value));
  } catch {
    // A full or forbidden store: the page goes on without its memory.
  }
};

const CART = "souk.cart";
/** What an order takes (producers/orders/model.py, storefront/cart.py): a cart never holds more. */
export const MOST_LINES = 100;
export const MOST_UNITS = 999;

const within = (lines) => lines.slice(0, MOST_LINES).map((line) => ({ ...line, quantity: Math.min(line.quantity, MOST_UNITS) }));

/** `{id, lines: [{product_id, seller_id, name, category, unit_price_minor, currency, quantity, recommendation_id}]}` */
export const cart = () => {
  const kept = read("localStorage", CART, null) ?? { id: token(), lines: [] };
  return { ...kept, lines: within(kept.lines) };
};

/** Gives a product this quantity in the cart (0 takes it out), or as many as fit; says how many there were and are. */
export const setQuantity = (product, quantity) => {
  const kept = cart();
  const line = kept.lines.find((one) => one.product_id === product.product_id);
  const before = line?.quantity ?? 0;
  const after = line || kept.lines.length < MOST_LINES ? Math.max(0, Math.min(quantity, MOST_UNITS)) : 0;
  if (after === 0) kept.lines = kept.lines.filter((one) => one !== line);
  else if (line) Object.assign(line, product, { quantity: after });
  else kept.lines.push({ ...product, quantity: after });
  write("localStorage", CART, kept);
  dispatchEvent(new Event("cartchange"));
  return { cart_id: kept.id, before, after };
};

export const quantityOf = (productId) => cart().lines.find((one) => one.product_id === productId)?.quantity ?? 0;

/** Takes what was bought out of the cart; what was put in meanwhile stays. */
export const takeOut = (bought) => {
  const kept = cart();
  const unitsOf = new Map(bought.map((one) => [one.product_id, one.quantity]));
  const left = kept.lines.map((line) => ({ ...line, quantity: line.quantity - (unitsOf.get(line.product_id) ?? 0) }));
  kept.lines = left.filter((line) => line.quantity > 0);
  write("localStorage", CART, kept.lines.length ? kept : null);
  dispatchEvent(new Event("cartchange"));
};

const ORDERS = "souk.orders";
export const orders = () => read("localStorage", ORDERS, []);
export const rememberOrder = (order) => {
  const others = orders().filter((one) => one.order_id !== order.order_id);
  write("localStorage", ORDERS, [order, ...others].slice(0, MOST_ORDERS));
};

const CHECKOUT = "souk.checkout";
const OPEN_MS = 3_600_000;
/**
 * The checkout to send, `{key, body}`: one that was sent and never answered, lest it be bought beside this one; else one
 * with this body. Whoever comes back after an hour has forgotten what was in the other.
 */
export const openCheckout = (body) => {
  const kept = read("localStorage", CHECKOUT, null);
  if (kept && (kept.body === body || Date.now() - kept.at < OPEN_MS)) return kept;
  const opened = { key: token(), body, at: Date.now() };
  write("localStorage", CHECKOUT, opened);
  return opened;
};
/** The checkout was answered, yes or no. */
export const endCheckout = () => write("localStorage", CHECKOUT, null);

const UNTOLD = "souk.untold";
const MOST_UNTOLD = 100;
const UNTOLD_MS = 600_000;
/** Events of the last ten minutes that no answer came for, of this page and of those that were left before. */
export const untold = () => read("sessionStorage", UNTOLD, []).filter((one) => Date.now() - Date.parse(one.occurred_at) < UNTOLD_MS);
export const keepUntold = (event) => write("sessionStorage", UNTOLD, [...untold(), event].slice(-MOST_UNTOLD));
export const forgetUntold = (events) => {
  const ids = new Set(events.map((one) => one.event_id));
  const left = untold().filter((one) => !ids.has(one.event_id));
  write("sessionStorage", UNTOLD, left.length ? left : null);
};

const CAME = "souk.came";
/** Remembers what led to a product, for the page that comes next. */
export const leaveFor = (productId, how) => write("sessionStorage", CAME, { productId, how, at: Date.now() });
/** What led to this product, once. */
export const cameBy = (productId) => {
  const kept = read("sessionStorage", CAME, null);
  write("sessionStorage", CAME, null);
  return kept?.productId === productId && Date.now() - kept.at < CAME_WITHIN_MS ? kept.how : null;
};
