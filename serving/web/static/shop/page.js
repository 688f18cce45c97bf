// The script of every shop page: adds to the cart, keeps recommendations current, sends browsing events.
import { addToCart, checkOldCart, takeStoredCart, unitsInCart } from "./cart.js";
import { trackEvent } from "./events.js";
import { uuid } from "./ids.js";
import { takeReferral, saveReferral } from "./storage.js";
import { personalise } from "./personal-listing.js";
import { keepRowCurrent, observeRows } from "./recommendation-row.js";
import "./suggestions.js";

// A page that many visitors get contains rows without an id: each showing has its own.
for (const row of document.querySelectorAll("[data-strategy]:not([data-recommendation])")) row.dataset.recommendation = uuid();

const rowOf = (element) => element.closest("[data-recommendation]")?.dataset ?? {};

const updateCartBadge = () => {
  const units = unitsInCart();
  const badge = document.getElementById("basket-count");
  badge.hidden = units === 0;
  badge.textContent = units > 99 ? "99+" : String(units);
  document.getElementById("basket").setAttribute("aria-label", units ? ngettext("Cart, %(num)s item", "Cart, %(num)s items", units) : gettext("Cart, empty"));
};

// The button on a card adds one unit.
document.addEventListener("click", async (event) => {
  const button = event.target.closest(".pc [data-add]");
  if (!button) return;
  const card = button.closest("[data-product]");
  if (!(await addToCart(card.dataset, 1, rowOf(card).recommendation))) return;
  button.classList.add("added");
  setTimeout(() => button.classList.remove("added"), 1200);
});

// A click on a product stores the referral for the product page.
document.addEventListener("click", (event) => {
  const card = event.target.closest("a.pc-name") && event.target.closest(".pc");
  if (!card) return;
  const { recommendation, surface } = rowOf(card);
  const { product, source, position } = card.dataset;
  const found = document.getElementById("found");
  saveReferral(product, { source, recommendation_id: recommendation, search_id: source === "search" ? found?.dataset.searchId : undefined });
  if (recommendation) {
    trackEvent("recommendation_clicked", { recommendation_id: recommendation, surface, product_id: product, position: Number(position) });
  }
});

/** Returns the referral of a link in a mail, whose fragment names the list, and tracks the click once. */
const mailReferral = (product) => {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const recommendation = fragment.get("recommendation");
  const position = Number(fragment.get("position"));
  if (!recommendation || !position) return null;
  history.replaceState(null, "", location.pathname + location.search);
  trackEvent("recommendation_clicked", { recommendation_id: recommendation, surface: "email", product_id: product, position });
  return { source: "recommendation", recommendation_id: recommendation };
};

/** Sets up the page of a product. */
const showProduct = (article) => {
  const { product, seller } = article.dataset;
  const referral = mailReferral(product) ?? takeReferral(product) ?? { source: document.referrer && !document.referrer.startsWith(location.origin) ? "external" : "direct" };
  trackEvent("product_viewed", { product_id: product, seller_id: seller, ...referral });
  const form = document.getElementById("buy");
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[data-add]");
    button.disabled = true;
    const added = await addToCart(article.dataset, document.getElementById("quantity").value, referral.recommendation_id);
    button.disabled = false;
    document.getElementById("to-cart").hidden = false;
    document.getElementById("added").textContent = added ? ngettext("Added. %(num)s item in the cart.", "Added. %(num)s items in the cart.", unitsInCart()) : "";
    if (!added) return;
    button.textContent = gettext("Added to cart");
    setTimeout(() => (button.textContent = gettext("Add to cart")), 1500);
  });
};

/** Sends an event for the first page of a search, and one for each further page of results. */
const showSearch = (found) => {
  const { search, filters, found: count } = found.dataset;
  if (!search) return;
  found.dataset.searchId = uuid();
  let page = 0;
  let tracked = 0;
  const trackResults = () => {
    const products = [...found.querySelectorAll("[data-product]")].map((one) => one.dataset.product);
    page += 1;
    trackEvent("search_performed", {
      search_id: found.dataset.searchId,
      query: search,
      filters: JSON.parse(filters ?? "{}"),
      page_number: page,
      result_count: Number(count),
      product_ids: products.slice(tracked),
    });
    tracked = products.length;
  };
  trackResults();
  document.addEventListener("htmx:afterSettle", trackResults);
};

const article = document.getElementById("product");
if (article) showProduct(article);
const found = document.getElementById("found");
if (found) personalise(found).then(() => showSearch(found));
updateCartBadge();
addEventListener("cartchange", updateCartBadge);
addEventListener("storage", updateCartBadge);
addEventListener("pageshow", updateCartBadge);
takeStoredCart();
checkOldCart();
observeRows(document);
keepRowCurrent();
