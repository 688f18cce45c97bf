// The orders of this browser, newest first.
import { orders } from "./kept.js";

const list = document.getElementById("orders");
const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

const element = (name, className, ...children) => {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
};

const row = ({ order_id, placed_at, lines }) => {
  const title = element("span", "row-title", when.format(new Date(placed_at)));
  const sub = element("span", "row-sub", `${lines} ${lines === 1 ? "product" : "products"} · ${order_id}`);
  const link = element("a", "row", element("span", "row-main", title, sub));
  link.href = `/shop/orders/${encodeURIComponent(order_id)}`;
  return element("li", "", link);
};

const kept = orders();
list.replaceChildren(...kept.map(row));
document.getElementById("no-orders").hidden = kept.length > 0;
