// Puts products into the cart and out of it, and tells the shop.
import { tell } from "./events.js";
import { MOST_LINES, MOST_UNITS, setQuantity } from "./kept.js";

const SAID_MS = 8_000;

/** A product as its element describes it. */
const productOf = ({ dataset }) => ({
  product_id: dataset.product,
  seller_id: dataset.seller,
  name: dataset.name || null,
  category: dataset.category || null,
  unit_price_minor: Number(dataset.price),
  currency: dataset.currency,
});

const FULL = `The cart is full: it takes ${MOST_LINES} products, ${MOST_UNITS} of each. Order these first, or take something out.`;

/** Says it wherever the page is scrolled to, for a while. */
const sayFull = () => {
  document.getElementById("cart-full")?.remove();
  const said = Object.assign(document.createElement("p"), { id: "cart-full", className: "card cart-full", role: "alert", textContent: FULL });
  document.body.append(said);
  setTimeout(() => said.remove(), SAID_MS);
};

/**
 * Gives the product that `element` describes this quantity in the cart, or as many as fit; `recommendation` led to it.
 * Says how many more there are than before.
 */
export const change = (element, quantity, recommendation = null) => {
  const product = productOf(element);
  const kept = recommendation ? { ...product, recommendation_id: recommendation } : product;
  const { cart_id, before, after } = setQuantity(kept, quantity);
  if (after < quantity) sayFull();
  if (after === before) return 0;
  tell("cart_changed", {
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
