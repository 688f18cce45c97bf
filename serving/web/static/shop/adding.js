// Puts products into the cart and out of it, and tells the shop.
import { tell } from "./events.js";
import { setQuantity } from "./kept.js";

/** A product as its element describes it. */
const productOf = ({ dataset }) => ({
  product_id: dataset.product,
  seller_id: dataset.seller,
  name: dataset.name || null,
  category: dataset.category || null,
  unit_price_minor: Number(dataset.price),
  currency: dataset.currency,
});

/** Gives the product that `element` describes this quantity in the cart; `recommendation` led to it. */
export const change = (element, quantity, recommendation = null) => {
  const product = productOf(element);
  const kept = recommendation ? { ...product, recommendation_id: recommendation } : product;
  const { cart_id, before } = setQuantity(kept, quantity);
  tell("cart_changed", {
    cart_id,
    product_id: product.product_id,
    seller_id: product.seller_id || "unknown",
    quantity_before: before,
    quantity,
    currency: product.currency,
    unit_price_minor: product.unit_price_minor,
    recommendation_id: recommendation,
  });
};
