// Lists the orders of this browser, the newest first.
import { orders } from "./storage.js";

const list = document.getElementById("orders");
const { locale, zone } = list.dataset;
const when = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone: zone });

const element = (name, className, ...children) => {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
};

const money = (minor, currency) => {
  const format = new Intl.NumberFormat(locale, { style: "currency", currency });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
};

const row = ({ order_id, placed_at, lines, amount_minor, currency }) => {
  const title = element("span", "row-title", when.format(new Date(placed_at)));
  const sub = element("span", "row-sub", `${lines} ${lines === 1 ? "product" : "products"} · ${order_id}`);
  const link = element("a", "row", element("span", "row-main", title, sub));
  if (currency && amount_minor !== undefined) link.append(element("span", "row-figure", money(amount_minor, currency)));
  link.href = `/shop/orders/${encodeURIComponent(order_id)}`;
  return element("li", "", link);
};

const storedOrders = orders();
list.replaceChildren(...storedOrders.map(row));
document.getElementById("no-orders").hidden = storedOrders.length > 0;
