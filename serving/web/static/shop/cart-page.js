// The cart page. The browser stores the cart, and the server prices its lines. With an idempotency key, a checkout buys once.
import { change, putBackIfFailed } from "./cart-changes.js";
import { observeRows } from "./recommendation-row.js";
import { addUnsettledOrder, cart, endCheckout, startCheckout, saveOrder, setQuantity, removeFromCart, settleOrder, unsettledOrders } from "./storage.js";
import { sessionReady } from "./visitor.js";

const box = document.getElementById("cart");
const TRIES = 4;
const MAX_RETRY_AFTER_S = 5;
const PRICE_MOVED = "urn:souk:problem:price-moved";
const PRICE_TRIES = 6;
const PRICE_RETRY_S = 0.5;

/** Texts for problems of an order; other problems are shown with their own detail. */
const PROBLEM_TEXT = {
  [PRICE_MOVED]: gettext("A price has just changed. The cart shows the new price: check it, and place the order again."),
  "urn:souk:problem:unknown-product": gettext("One of these products is no longer for sale. See the notes in the cart, and place the order again."),
  "urn:souk:problem:bad-parameter": gettext("The shop can't accept this order as it is. Check the quantities."),
};

let latestLoad = 0;

/** Loads the priced cart. Only the response to the latest request is shown. Repeats a failed request. */
const show = async () => {
  const load = (latestLoad += 1);
  const body = JSON.stringify({ lines: cart().lines });
  try {
    const response = await fetch("/shop/cart", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    if (!response.ok) throw new Error(String(response.status));
    const html = await response.text();
    if (load !== latestLoad) return;
    const fresh = new DOMParser().parseFromString(html, "text/html").body;
    const token = box.querySelector("input[name=token]:checked")?.value;
    const focused = document.activeElement?.closest("[data-product]")?.dataset.product;
    const step = document.activeElement?.dataset.step;
    box.replaceChildren(...fresh.childNodes);
    if (token) box.querySelector(`input[value="${CSS.escape(token)}"]`)?.click();
    if (focused && step) box.querySelector(`[data-product="${CSS.escape(focused)}"] [data-step="${step}"]`)?.focus();
  } catch {
    if (load === latestLoad) setTimeout(show, 2000);
    if (!box.firstElementChild) box.textContent = gettext("The cart can't be shown right now. It is safe in this browser; trying again…");
  } finally {
    box.removeAttribute("aria-busy");
  }
};

box.addEventListener("click", (event) => {
  const line = event.target.closest("[data-product]");
  if (!line) return;
  const step = event.target.closest("[data-step]");
  if (step) change(line, Math.max(0, Number(line.dataset.quantity) + Number(step.dataset.step)));
  if (event.target.closest("[data-remove]")) change(line, 0);
});

const lines = () => [...box.querySelectorAll(".cart-line")].map(({ dataset }) => ({
  product_id: dataset.product,
  seller_id: dataset.seller,
  quantity: Number(dataset.quantity),
  unit_price_minor: Number(dataset.price),
}));

/** Stores the shown prices, which the visitor accepts by placing the order. */
const acceptShownPrices = () => {
  for (const line of box.querySelectorAll(".cart-line")) {
    const stored = cart().lines.find((one) => one.product_id === line.dataset.product);
    if (stored && stored.unit_price_minor !== Number(line.dataset.price)) {
      setQuantity({ ...stored, unit_price_minor: Number(line.dataset.price) }, stored.quantity);
    }
  }
};

const showMessage = (text, kind = "bad") => {
  const refusal = document.getElementById("refusal");
  if (refusal) refusal.replaceChildren(Object.assign(document.createElement("p"), { className: kind, textContent: text }));
};

const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Sends an order until it is accepted or refused; null if no attempt got a response. With the key, all attempts are one order. */
const send = async ({ key, body }) => {
  const headers = { "Content-Type": "application/json", "Idempotency-Key": key };
  for (let left = TRIES; left > 0; left -= 1) {
    let wait = 2;
    try {
      const response = await fetch("/v1/orders", { method: "POST", headers, body });
      if (response.status < 500) return { ok: response.ok, content: await response.json() };
      wait = Math.min(Number(response.headers.get("Retry-After")) || wait, MAX_RETRY_AFTER_S);
    } catch {
      // The network does not answer.
    }
    if (left > 1) {
      showMessage(gettext("The checkout does not answer. Trying again, which is safe: you buy once."), "notice");
      await sleep(wait);
    }
  }
  return null;
};

/** Reloads the cart until it changes. The cart page may get a new price a moment after the checkout does. */
const showUntilChanged = async (tries) => {
  const before = JSON.stringify(lines());
  for (let left = tries; left > 0; left -= 1) {
    await show();
    if (JSON.stringify(lines()) !== before) return;
    if (left > 1) await sleep(PRICE_RETRY_S);
  }
};

let buying = false;

const buy = async (form) => {
  const session = await sessionReady;
  const button = document.getElementById("place");
  const label = button.textContent;
  const body = JSON.stringify({
    // The server knows who buys: the person who is signed in, else this session.
    session_id: session,
    currency: box.querySelector(".cart-line").dataset.currency,
    payment: { method: "credit_card", token: new FormData(form).get("token") },
    lines: lines(),
  });
  button.disabled = true;
  button.textContent = gettext("Placing your order…");
  document.getElementById("refusal").replaceChildren();
  let checkout = startCheckout(body);
  let response = await send(checkout);
  if (response && !response.ok && checkout.body !== body) {
    endCheckout(); // the earlier checkout was refused: send the current cart
    checkout = startCheckout(body);
    response = await send(checkout);
  }
  if (response?.ok) {
    const { order_id, placed_at, payment } = response.content;
    const { lines: bought, currency } = JSON.parse(checkout.body);
    saveOrder({ order_id, placed_at, lines: bought.length, amount_minor: payment?.amount_minor, currency });
    addUnsettledOrder(order_id);
    endCheckout();
    removeFromCart(bought);
    return void location.assign(`/shop/orders/${encodeURIComponent(order_id)}`);
  }
  button.disabled = false;
  button.textContent = label;
  if (!response) return showMessage(gettext("The checkout is not available. Your cart is safe: try again in a moment. Nothing is bought twice."));
  endCheckout(); // refused: the next attempt is another order
  const text = PROBLEM_TEXT[response.content.type] ?? `${response.content.title}. ${response.content.detail}`;
  await showUntilChanged(response.content.type === PRICE_MOVED ? PRICE_TRIES : 1);
  showMessage(text);
};

box.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (buying) return;
  buying = true;
  try {
    acceptShownPrices();
    await buy(event.target);
  } finally {
    buying = false;
  }
});

const rows = document.getElementById("cart-rows");
const productsInCart = () => cart().lines.map((line) => line.product_id).sort().join();
let rowsOf = productsInCart();

/** Reloads the rows that follow from the cart once other products are in it. Nothing completes an empty cart. */
const showRows = async () => {
  const products = productsInCart();
  if (products === rowsOf) return;
  rowsOf = products;
  if (!products) rows.replaceChildren();
  const response = await fetch("/shop/cart/rows").catch(() => null);
  if (!response?.ok || products !== rowsOf) return;
  rows.replaceChildren(...new DOMParser().parseFromString(await response.text(), "text/html").body.childNodes);
  observeRows(rows);
};

addEventListener("cartchange", () => {
  showRows();
  if (!buying) show();
});
addEventListener("storage", ({ key }) => key === "souk.cart" && show());
addEventListener("pageshow", ({ persisted }) => persisted && show());
show();

/** Puts back what orders did not buy whose pages nobody has looked at since. */
const settleOrders = async () => {
  for (const orderId of unsettledOrders()) {
    const response = await fetch(`/shop/orders/${encodeURIComponent(orderId)}/state`).catch(() => null);
    if (response?.ok) putBackIfFailed(orderId, new DOMParser().parseFromString(await response.text(), "text/html").querySelector(".order-page"));
    else if (response && response.status < 500) settleOrder(orderId); // it is somebody else's, or gone
  }
};
settleOrders();
