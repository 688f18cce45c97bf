// Lists the orders of this browser, the newest first.
import { orders } from "./storage.js";

const list = document.getElementById("orders");
const { locale, zone } = list.dataset;
const { others, usual } = JSON.parse(list.dataset.minorDigits);
const when = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: zone });

const element = (name, className, ...children) => {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
};

const money = (minor, currency) => {
  const digits = others[currency] ?? usual; // not those of Intl, which are the browser's
  const style = { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits };
  return new Intl.NumberFormat(locale, style).format(minor / 10 ** digits);
};

const row = ({ order_id, placed_at, lines, amount_minor, currency }) => {
  const title = element("span", "row-title", when.format(new Date(placed_at)));
  const sub = element("span", "row-sub", `${ngettext("%(num)s product", "%(num)s products", lines)} · ${order_id}`);
  const link = element("a", "row", element("span", "row-main", title, sub));
  if (currency && amount_minor !== undefined) link.append(element("span", "row-figure", money(amount_minor, currency)));
  link.href = `/shop/orders/${encodeURIComponent(order_id)}`;
  return element("li", "", link);
};

// The page of a person has the orders of their account. Those of this browser are listed if they are not among these.
const listed = new Set([...document.querySelectorAll("[data-order]")].map((one) => one.dataset.order));
const storedOrders = orders().filter((order) => !listed.has(order.order_id));
const section = document.getElementById("local");
const isExtra = "extra" in section.dataset;
list.replaceChildren(...storedOrders.map(row));
section.hidden = isExtra && !storedOrders.length;
document.getElementById("no-orders").hidden = isExtra || storedOrders.length > 0;
if (isExtra && storedOrders.length) document.getElementById("none-of-account")?.remove();
