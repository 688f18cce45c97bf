// The cart page: sends the forms of lines without leaving the page, and places the order. With an idempotency key, a checkout buys once.
import { NO_ANSWER, showMessage as showForSeconds, tellChange } from "./cart.js";
import { observeRows } from "./recommendation-row.js";
import { CART_CHECKED, endCheckout, startCheckout, saveOrder } from "./storage.js";
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
  "urn:souk:problem:voucher-refused": gettext("A voucher has no effect any more. See the note beside it: remove it, and place the order again."),
  "urn:souk:problem:bad-parameter": gettext("The shop can't accept this order as it is. Check the quantities."),
};

const rows = document.getElementById("cart-rows");
const productsIn = (root) => [...root.querySelectorAll(".cart-line:not([data-saved])")].map(({ dataset }) => dataset.product).join();

/** Focuses the pressed button of a line again; without it, the line's first button, or the heading of a line that is gone. */
const focusAgain = (line, button) => {
  const buttons = [...(line?.querySelectorAll("button:enabled") ?? [])];
  (buttons.find((one) => one.value === button) ?? buttons[0] ?? document.querySelector("h1")).focus();
};

/** Shows the cart of a response. What was chosen or focused stays so. */
const replaceContent = (page) => {
  const fresh = page.getElementById("cart");
  const before = productsIn(box);
  const token = box.querySelector("input[name=token]:checked")?.value;
  const { product } = document.activeElement?.closest(".cart-line")?.dataset ?? {};
  const button = product && document.activeElement.value;
  box.replaceChildren(...fresh.childNodes);
  document.getElementById("cart-status").textContent = box.querySelector("[role=status]")?.textContent ?? "";
  if (token) box.querySelector(`input[value="${CSS.escape(token)}"]`)?.click();
  if (button) focusAgain(box.querySelector(`[data-product="${CSS.escape(product)}"]`), button);
  const products = productsIn(box);
  document.getElementById("before-you-go").hidden = !products;
  if (products === before) return;
  rows.replaceChildren(...page.getElementById("cart-rows").childNodes);
  observeRows(rows);
};

const RETRY_MS = 2_000;
let latest = 0;

/** Sends a request for the cart page, and shows its answer unless a later one was sent. Repeats a look that got no answer. */
const load = async (address, options) => {
  const request = (latest += 1);
  box.setAttribute("aria-busy", "true");
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" }, ...options });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    if (!page.getElementById("cart")) throw new Error(String(response.status));
    if (request !== latest) return;
    replaceContent(page);
    if (options) tellChange();
    else dispatchEvent(new Event("cartchange"));
  } catch {
    if (options) showForSeconds(NO_ANSWER);
    if (request === latest) setTimeout(show, RETRY_MS);
  } finally {
    if (request === latest) box.removeAttribute("aria-busy");
  }
};

const show = () => load("/shop/cart");

let changes = Promise.resolve();

/** Sends the form of a line after the ones before it. Its quantity is shown at once, so that a quick second click adds to it. */
const changeLine = (form, button) => {
  const body = new URLSearchParams(new FormData(form, button));
  const step = { less: -1, more: 1 }[button?.value];
  const shown = form.querySelector("output");
  if (step) shown.textContent = Math.max(0, Number(shown.textContent) + step);
  latest += 1; // an answer from before this click is out of date
  changes = changes.then(() => load(form.action, { method: "POST", body }));
};

const lines = () => [...box.querySelectorAll(".cart-line:not([data-saved])")].map(({ dataset }) => ({
  product_id: dataset.product,
  seller_id: dataset.seller,
  quantity: Number(dataset.quantity),
  unit_price_minor: Number(dataset.price),
}));

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
    currency: form.dataset.currency,
    payment: { method: "credit_card", token: new FormData(form).get("token") },
    lines: lines(),
    voucher_codes: form.dataset.codes.split(" ").filter(Boolean),
    ...(form.dataset.total && { amount_minor: Number(form.dataset.total) }),
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
    endCheckout();
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
  if (event.target.id !== "order") return changeLine(event.target, event.submitter);
  buying = true;
  try {
    await changes; // an order is of what the page shows
    if (!document.getElementById("place")?.disabled) await buy(document.getElementById("order"));
  } finally {
    buying = false;
  }
});

addEventListener("storage", ({ key }) => key === CART_CHECKED && !buying && show());
addEventListener("carttaken", show);
addEventListener("pageshow", ({ persisted }) => persisted && show());
document.addEventListener("visibilitychange", () => document.hidden || buying || show()); // another device may have changed it
