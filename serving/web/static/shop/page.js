// Every page of the shop: adding to the cart, following recommendations, telling what is looked at.
import { change } from "./adding.js";
import { tell } from "./events.js";
import { uuid } from "./ids.js";
import { cameBy, cart, leaveFor, quantityOf } from "./kept.js";
import { followRow, watchRows } from "./row.js";

const surroundings = (element) => element.closest("[data-recommendation]")?.dataset ?? {};

const showBasket = () => {
  const units = cart().lines.reduce((sum, line) => sum + line.quantity, 0);
  const badge = document.getElementById("basket-count");
  badge.hidden = units === 0;
  badge.textContent = units > 99 ? "99+" : String(units);
  document.getElementById("basket").setAttribute("aria-label", units ? `Cart, ${units} ${units === 1 ? "item" : "items"}` : "Cart, empty");
};

// On a card: add one, and say so on the button.
document.addEventListener("click", (event) => {
  const button = event.target.closest(".pc [data-add]");
  if (!button) return;
  const card = button.closest("[data-product]");
  if (!change(card, quantityOf(card.dataset.product) + 1, surroundings(card).recommendation)) return;
  button.classList.add("added");
  setTimeout(() => button.classList.remove("added"), 1200);
});

// A product that is opened from here: its page learns what led to it.
document.addEventListener("click", (event) => {
  const card = event.target.closest("a.pc-name") && event.target.closest(".pc");
  if (!card) return;
  const { recommendation, surface } = surroundings(card);
  const { product, source, position } = card.dataset;
  const found = document.getElementById("found");
  leaveFor(product, { source, recommendation_id: recommendation, search_id: source === "search" ? found?.dataset.searchId : undefined });
  if (recommendation) {
    tell("recommendation_clicked", { recommendation_id: recommendation, surface, product_id: product, position: Number(position) });
  }
});

/** The page of one product. */
const showProduct = (article) => {
  const { product, seller } = article.dataset;
  const how = cameBy(product) ?? { source: document.referrer && !document.referrer.startsWith(location.origin) ? "external" : "direct" };
  tell("product_viewed", { product_id: product, seller_id: seller, ...how });
  const form = document.getElementById("buy");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const more = Number(document.getElementById("quantity").value);
    const added = change(article, quantityOf(product) + more, how.recommendation_id);
    document.getElementById("to-cart").hidden = false;
    document.getElementById("added").textContent = added ? `Added. ${quantityOf(product)} in the cart.` : "";
    if (!added) return;
    const button = form.querySelector("[data-add]");
    button.textContent = "Added to cart";
    setTimeout(() => (button.textContent = "Add to cart"), 1500);
  });
};

/** A search: told with its results, page by page. */
const showSearch = (found) => {
  const { search, category, found: count } = found.dataset;
  if (!search) return;
  found.dataset.searchId = uuid();
  let page = 0;
  let told = 0;
  const tellPage = () => {
    const products = [...found.querySelectorAll("[data-product]")].map((one) => one.dataset.product);
    page += 1;
    tell("search_performed", {
      search_id: found.dataset.searchId,
      query: search,
      filters: category ? { category } : {},
      page_number: page,
      result_count: Number(count),
      product_ids: products.slice(told),
    });
    told = products.length;
  };
  tellPage();
  document.addEventListener("htmx:afterSettle", tellPage);
};

const article = document.getElementById("product");
if (article) showProduct(article);
const found = document.getElementById("found");
if (found) showSearch(found);
showBasket();
addEventListener("cartchange", showBasket);
addEventListener("storage", showBasket);
watchRows(document);
followRow();
