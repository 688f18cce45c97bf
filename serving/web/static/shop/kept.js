// What this browser keeps: the cart, the orders that were placed, how the visitor came to a product.
import { token } from "./ids.js";

const MOST_ORDERS = 50;
const CAME_WITHIN_MS = 60_000;

const read = (store, key, otherwise) => {
  try {
    return JSON.parse(store.getItem(key)) ?? otherwise;
  } catch {
    return otherwise; // unreadable, or a browser that keeps nothing: the shop goes on
  }
};

const write = (store, key, value) => {
  try {
    if (value === null) store.removeItem(key);
    else store.setItem(key, JSON.stringify(value));
  } catch {
    // A full or forbidden store: the page goes on without its memory.
  }
};

const CART = "souk.cart";

/** `{id, lines: [{product_id, seller_id, name, category, unit_price_minor, currency, quantity, recommendation_id}]}` */
export const cart = () => read(localStorage, CART, null) ?? { id: token(), lines: [] };

/** Gives a product this quantity in the cart (0 takes it out); says how many there were before. */
export const setQuantity = (product, quantity) => {
  const kept = cart();
  const line = kept.lines.find((one) => one.product_id === product.product_id);
  const before = line?.quantity ?? 0;
  if (quantity <= 0) kept.lines = kept.lines.filter((one) => one !== line);
  else if (line) Object.assign(line, product, { quantity });
  else kept.lines.push({ ...product, quantity });
  write(localStorage, CART, kept);
  dispatchEvent(new Event("cartchange"));
  return { cart_id: kept.id, before };
};

export const quantityOf = (productId) => cart().lines.find((one) => one.product_id === productId)?.quantity ?? 0;

export const emptyCart = () => {
  write(localStorage, CART, null);
  dispatchEvent(new Event("cartchange"));
};

const ORDERS = "souk.orders";
export const orders = () => read(localStorage, ORDERS, []);
export const rememberOrder = (order) => {
  const others = orders().filter((one) => one.order_id !== order.order_id);
  write(localStorage, ORDERS, [order, ...others].slice(0, MOST_ORDERS));
};

const CHECKOUT = "souk.checkout";
/** The key of this checkout: the same for the same order, however often it is sent and from whichever tab. */
export const checkoutKey = (body) => {
  const kept = read(localStorage, CHECKOUT, null);
  if (kept?.body === body) return kept.key;
  const key = token();
  write(localStorage, CHECKOUT, { key, body });
  return key;
};
export const endCheckout = () => write(localStorage, CHECKOUT, null);

const CAME = "souk.came";
/** Remembers what led to a product, for the page that comes next. */
export const leaveFor = (productId, how) => write(sessionStorage, CAME, { productId, how, at: Date.now() });
/** What led to this product, once. */
export const cameBy = (productId) => {
  const kept = read(sessionStorage, CAME, null);
  write(sessionStorage, CAME, null);
  return kept?.productId === productId && Date.now() - kept.at < CAME_WITHIN_MS ? kept.how : null;
};
