// Follows an order: asks how far it has come until it has ended. A page that nobody looks at asks nothing.
import { change } from "./adding.js";
import { quantityOf } from "./kept.js";

const box = document.getElementById("state");
const address = `/shop/orders/${encodeURIComponent(box.dataset.order)}/state`;
const FAILED_REST_S = 4;
let timer = null;

const page = () => box.querySelector(".order-page");

const takeOver = (html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  if (fresh.innerHTML.trim() === box.innerHTML.trim()) return;
  const focused = document.activeElement;
  const again = box.contains(focused) ? focused.getAttribute("href") ?? Object.keys(focused.dataset)[0] : null;
  const title = () => document.getElementById("order-title").textContent;
  const before = title();
  box.replaceChildren(...fresh.childNodes);
  if (title() !== before) {
    document.getElementById("order-said").textContent = `${title()}. ${document.getElementById("order-lead").textContent}`;
  }
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

box.addEventListener("click", async ({ target }) => {
  if (target.closest("[data-again]")) {
    for (const line of box.querySelectorAll(".cart-line")) {
      change(line, quantityOf(line.dataset.product) + Number(line.dataset.quantity));
    }
    location.assign("/shop/cart");
  }
  const button = target.closest("[data-cancel]");
  if (!button) return;
  button.disabled = true;
  const said = document.getElementById("cancel-said");
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

document.addEventListener("visibilitychange", follow);
if (!("ended" in page().dataset)) timer = setTimeout(follow, Number(page().dataset.every) * 1000);
