// Follows an order: fetches its state until it has ended. A hidden page fetches nothing.
import { change } from "./cart-changes.js";
import { quantityOf } from "./storage.js";

const box = document.getElementById("state");
const address = `/shop/orders/${encodeURIComponent(box.dataset.order)}/state`;
const RETRY_AFTER_S = 4;
const CONFIRM_MS = 8_000;
let timer = null;
let shown = box.innerHTML.trim();
let asked = null;

const page = () => box.querySelector(".order-page");

const say = (text) => (document.getElementById("order-said").textContent = text);

/** Shows a new state. The confirmation question and its message stay while the state is unchanged. */
const replaceContent = (html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  if (fresh.innerHTML.trim() === shown) return;
  shown = fresh.innerHTML.trim();
  asked?.forget();
  const focused = document.activeElement;
  const again = box.contains(focused) ? focused.getAttribute("href") ?? Object.keys(focused.dataset)[0] : null;
  const title = () => document.getElementById("order-title").textContent;
  const before = title();
  box.replaceChildren(...fresh.childNodes);
  if (title() !== before) say(`${title()}. ${document.getElementById("order-lead").textContent}`);
  if (again) box.querySelector(`[href="${CSS.escape(again)}"], [data-${CSS.escape(again)}]`)?.focus();
};

const followProgress = async () => {
  clearTimeout(timer);
  timer = null;
  if (document.hidden) return;
  let rest = RETRY_AFTER_S;
  try {
    const answer = await fetch(address);
    if (answer.ok) {
      replaceContent(await answer.text());
      rest = Number(page().dataset.every);
    }
  } catch {
    // Not reachable: fetched again after a pause.
  }
  if (!("ended" in page().dataset)) timer = setTimeout(followProgress, rest * 1000);
};

/** A cancellation can't be undone: the button asks for confirmation for a few seconds. */
const ask = (button) => {
  const label = button.textContent;
  const forget = () => {
    clearTimeout(asked.timer);
    asked = null;
    button.textContent = label;
    button.classList.remove("sure");
    say("");
  };
  asked = { forget, timer: setTimeout(forget, CONFIRM_MS) };
  button.textContent = "Really cancel?";
  button.classList.add("sure");
  say("Really cancel? Press the same button again to cancel this order.");
};

box.addEventListener("click", async ({ target, detail }) => {
  if (target.closest("[data-again]")) {
    for (const line of box.querySelectorAll(".cart-line")) {
      change(line, quantityOf(line.dataset.product) + Number(line.dataset.quantity));
    }
    location.assign("/shop/cart");
  }
  const button = target.closest("[data-cancel]");
  if (!button || detail > 1) return; // a double click is not a confirmation
  if (!asked) return ask(button);
  asked.forget();
  button.disabled = true;
  const said = document.getElementById("cancel-said");
  said.textContent = "";
  try {
    const answer = await fetch(`/v1/orders/${encodeURIComponent(box.dataset.order)}/cancellation`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: "{}",
    });
    if (answer.ok) return void followProgress();
    said.textContent = (await answer.json()).detail;
  } catch {
    said.textContent = "The shop does not answer. Try again in a moment.";
  }
  button.disabled = false;
});

// A key that is held down is not a confirmation either.
box.addEventListener("keydown", (event) => {
  if (event.repeat && event.target.closest("[data-cancel]")) event.preventDefault();
});

document.addEventListener("visibilitychange", followProgress);
if (!("ended" in page().dataset)) timer = setTimeout(followProgress, Number(page().dataset.every) * 1000);
