// Follows an order: fetches its state until it has ended. A hidden page fetches nothing.
import { checkCart } from "./cart.js";

const box = document.getElementById("state");
const address = `/shop/orders/${encodeURIComponent(box.dataset.order)}/state`;
const RETRY_AFTER_S = 4;
const CONFIRM_MS = 8_000;
/** When the cart is looked at after a step: the order takes its products out a moment later, or puts them back. */
const CART_AFTER_MS = [300, 1_500, 5_000];
let timer = null;
let shown = box.innerHTML.trim();
let confirmation = null; // the open question whether to cancel the order

const checkCartSoon = () => CART_AFTER_MS.forEach((delay) => setTimeout(checkCart, delay));

const page = () => box.querySelector(".order-page");

const announce = (text) => (document.getElementById("order-said").textContent = text);

/** Shows a new state. The confirmation question and its message stay while the state is unchanged. */
const replaceContent = (html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  if (fresh.innerHTML.trim() === shown) return;
  shown = fresh.innerHTML.trim();
  confirmation?.close();
  const focused = document.activeElement;
  const focusKey = box.contains(focused) ? focused.getAttribute("href") ?? Object.keys(focused.dataset)[0] : null;
  const title = () => document.getElementById("order-title").textContent;
  const before = title();
  box.replaceChildren(...fresh.childNodes);
  if (title() !== before) {
    checkCartSoon();
    announce(`${title()}. ${document.getElementById("order-lead").textContent}`);
  }
  if (focusKey) box.querySelector(`[href="${CSS.escape(focusKey)}"], [data-${CSS.escape(focusKey)}]`)?.focus();
};

const followProgress = async () => {
  clearTimeout(timer);
  timer = null;
  if (document.hidden) return;
  let pause = RETRY_AFTER_S;
  try {
    const response = await fetch(address);
    if (response.ok) {
      replaceContent(await response.text());
      pause = Number(page().dataset.every);
    }
  } catch {
    // The server does not answer: the state is fetched again after the pause.
  }
  if (!("ended" in page().dataset)) timer = setTimeout(followProgress, pause * 1000);
};

/** Asks for confirmation, because a cancellation can't be undone. The question closes after a few seconds. */
const askForConfirmation = (button) => {
  const label = button.textContent;
  const close = () => {
    clearTimeout(confirmation.timer);
    confirmation = null;
    button.textContent = label;
    button.classList.remove("sure");
    announce("");
  };
  confirmation = { close, timer: setTimeout(close, CONFIRM_MS) };
  button.textContent = gettext("Really cancel?");
  button.classList.add("sure");
  announce(gettext("Really cancel? Press the same button again to cancel this order."));
};

box.addEventListener("click", async ({ target, detail }) => {
  const button = target.closest("[data-cancel]");
  if (!button || detail > 1) return; // a double click is not a confirmation
  if (!confirmation) return askForConfirmation(button);
  confirmation.close();
  button.disabled = true;
  const message = document.getElementById("cancel-said");
  message.textContent = "";
  try {
    const response = await fetch(`/v1/orders/${encodeURIComponent(box.dataset.order)}/cancellation`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    });
    if (response.ok) return void followProgress();
    message.textContent = (await response.json()).detail;
  } catch {
    message.textContent = gettext("The shop does not answer. Try again in a moment.");
  }
  button.disabled = false;
});

// A key that is held down is not a confirmation either.
box.addEventListener("keydown", (event) => {
  if (event.repeat && event.target.closest("[data-cancel]")) event.preventDefault();
});

document.addEventListener("visibilitychange", followProgress);
if (!("ended" in page().dataset)) timer = setTimeout(followProgress, Number(page().dataset.every) * 1000);
checkCartSoon();
