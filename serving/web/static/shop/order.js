// Follows an order: asks how far it has come until it has ended. A page that nobody looks at asks nothing.
import { change } from "./adding.js";
import { quantityOf } from "./kept.js";

const box = document.getElementById("state");
const address = `/shop/orders/${encodeURIComponent(box.dataset.order)}/state`;
const FAILED_REST_S = 4;
const SURE_MS = 8_000;
let timer = null;
let shown = box.innerHTML.trim();
let asked = null;

const page = () => box.querySelector(".order-page");

const say = (text) => (document.getElementById("order-said").textContent = text);

/** Takes over what has changed in the shop; what was asked or said here meanwhile stays as long as nothing has. */
const takeOver = (html) => {
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

const follow = async () => {
  clearTimeout(timer);
  timer = null;
  if (document.hidden) return;
  let rest = FAILED_REST_S;
  try {
    const answer = await fetch(address);
    if (answer.ok) {
      takeOver(await answer.text());
      rest = Number(page().dataset.every);
    }
  } catch {
    // Not reachable: asked again after a rest.
  }
  if (!("ended" in page().dataset)) timer = setTimeout(follow, rest * 1000);
};

/** What is cancelled can't be had back: the button asks once more, for a while. */
const ask = (button) => {
  const label = button.textContent;
  const forget = () => {
    clearTimeout(asked.timer);
    asked = null;
    button.textContent = label;
    button.classList.remove("sure");
    say("");
  };
  asked = { forget, timer: setTimeout(forget, SURE_MS) };
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
  if (!button || detail > 1) return; // a double click is no second thought
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
    if (answer.ok) return void follow();
    said.textContent = (await answer.json()).detail;
  } catch {
    said.textContent = "The shop does not answer. Try again in a moment.";
  }
  button.disabled = false;
});

// Nor is a key that is held down.
box.addEventListener("keydown", (event) => {
  if (event.repeat && event.target.closest("[data-cancel]")) event.preventDefault();
});

document.addEventListener("visibilitychange", follow);
if (!("ended" in page().dataset)) timer = setTimeout(follow, Number(page().dataset.every) * 1000);
