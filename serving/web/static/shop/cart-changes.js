// Changes quantities in the cart, and sends the event.
import { trackEvent } from "./events.js";
import { MAX_LINES, MAX_UNITS, setQuantity } from "./storage.js";

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

const FULL = `The cart is full: it takes ${MAX_LINES} products, ${MAX_UNITS} of each. Order these first, or take something out.`;

/** Shows the message for a few seconds, wherever the page is scrolled to. */
const sayFull = () => {
  document.getElementById("cart-full")?.remove();
  const said = Object.assign(document.createElement("p"), { id: "cart-full", className: "card cart-full", role: "alert", textContent: FULL });
  document.body.append(said);
  setTimeout(() => said.remove(), MESSAGE_MS);
};

/**
 * Sets the quantity of the product that `element` describes, up to the limits. `recommendation` is the list that led to it.
 * Returns by how much the quantity changed.
 */
export const change = (element, quantity, recommendation = null) => {
  const product = productOf(element);
  const kept = recommendation ? { ...product, recommendation_id: recommendation } : product;
  const { cart_id, before, after } = setQuantity(kept, quantity);
  if (after < quantity) sayFull();
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
