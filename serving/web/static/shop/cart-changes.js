// Changes quantities in the cart, and sends an event for each change.
import { trackEvent } from "./events.js";
import { MAX_LINES, MAX_UNITS, quantityOf, setQuantity, settleOrder } from "./storage.js";

const MESSAGE_MS = 8_000;

/** Returns the product that an element describes in its data attributes. */
const productOf = ({ dataset }) => ({
  product_id: dataset.product,
  seller_id: dataset.seller,
  name: dataset.name || null,
  category: dataset.category || null,
  unit_price_minor: Number(dataset.price),
  currency: dataset.currency,
});

/** Shows the message for a few seconds at the bottom of the window. */
const showCartFull = () => {
  document.getElementById("cart-full")?.remove();
  const textContent = gettext("The cart is full: it takes %(lines)s products, %(units)s of each. Order these first, or take something out.", { lines: MAX_LINES, units: MAX_UNITS });
  const message = Object.assign(document.createElement("p"), { id: "cart-full", className: "card cart-full", role: "alert", textContent });
  document.body.append(message);
  setTimeout(() => message.remove(), MESSAGE_MS);
};

/**
 * Sets the quantity of the product that `element` describes, up to the limits. `recommendation` is the id of the list that led to it.
 * Returns the change of the quantity.
 */
export const change = (element, quantity, recommendation = null) => {
  const product = productOf(element);
  const line = recommendation ? { ...product, recommendation_id: recommendation } : product;
  const { cart_id, before, after } = setQuantity(line, quantity);
  if (after < quantity) showCartFull();
  if (after === before) return 0;
  trackEvent("cart_changed", {
    cart_id,
    product_id: product.product_id,
    seller_id: product.seller_id || "unknown",
    quantity_before: before,
    quantity: after,
    currency: product.currency,
    unit_price_minor: product.unit_price_minor,
    recommendation_id: recommendation,
  });
  return after - before;
};

/** Puts the lines of an order, as its page shows them, back into the cart. What is in it already stays as it is. */
export const putBack = (page) => {
  for (const line of page.querySelectorAll(".cart-line")) {
    change(line, Math.max(quantityOf(line.dataset.product), Number(line.dataset.quantity)));
  }
};

/**
 * Puts the lines of an order of this browser back into the cart, once, if the order failed without the shopper's doing: a
 * declined card must not cost a cart. Returns whether it did.
 */
export const putBackIfFailed = (orderId, page) => {
  if (!page || "open" in page.dataset || !settleOrder(orderId) || !("failed" in page.dataset)) return false;
  putBack(page);
  return true;
};
