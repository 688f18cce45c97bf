// A page of figures that moves: picks tiles and periods, and follows new data without a reload.
import { createChart } from "./chart.js";

const REFRESH_AT_MOST_EVERY_MS = 1000;
const BUSY_AFTER_MS = 150;

const board = document.getElementById("board");
const chart = createChart(document.getElementById("chart"));
let metric = "revenue";
let shown = location.href;

const data = () => JSON.parse(document.getElementById("chart-data").textContent);

const draw = () => {
  const tiles = [...board.querySelectorAll(".tile")];
  for (const tile of tiles) tile.setAttribute("aria-pressed", String(tile.dataset.metric === metric));
  const label = tiles.find((tile) => tile.dataset.metric === metric)?.querySelector(".tile-label").textContent;
  chart.draw(data(), metric, label ?? "Revenue");
};

/** What someone is in the middle of, an open form or a longer list of orders, is left alone. */
const inUse = (region) => region.dataset.grown || region.querySelector("details[open]");

/** Takes over every region that differs; what has not changed keeps its focus and scroll. */
const takeOver = (page, quietly) => {
  for (const region of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(region.id);
    if (!fresh || fresh.innerHTML === region.innerHTML && fresh.hidden === region.hidden) continue;
    if (quietly && inUse(region)) continue;
    const focused = region.contains(document.activeElement) ? document.activeElement : null;
    const again = focused?.dataset.metric ?? focused?.getAttribute("href");
    region.replaceWith(document.adoptNode(fresh));
    if (again) document.querySelector(`[data-metric="${CSS.escape(again)}"], a[href="${CSS.escape(again)}"]`)?.focus();
    globalThis.htmx?.process(fresh);
  }
  draw();
};

let asking = null;

/** Fetches the page at `url` and shows it here. */
const visit = async (url, { quietly = false } = {}) => {
  asking?.abort();
  asking = new AbortController();
  const { signal } = asking;
  const busy = quietly ? 0 : setTimeout(() => board.setAttribute("aria-busy", "true"), BUSY_AFTER_MS);
  try {
    const answer = await fetch(url, { signal, headers: { Accept: "text/html" } });
    if (!answer.ok) {
      if (!quietly) location.assign(url);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (signal.aborted) return;
    if (!quietly && url !== location.href) history.pushState(null, "", url);
    shown = url;
    takeOver(page, quietly);
  } catch (error) {
    if (error.name !== "AbortError" && !quietly) location.assign(url);
  } finally {
    clearTimeout(busy);
    if (!signal.aborted) board.removeAttribute("aria-busy");
  }
};

board.addEventListener("click", (event) => {
  const tile = event.target.closest(".tile");
  if (tile) {
    metric = tile.dataset.metric;
    draw();
  }
  const link = event.target.closest("a[data-visit]");
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    visit(link.href);
  }
});

board.addEventListener("submit", (event) => {
  const form = event.target.closest("[data-visit-form]");
  if (!form) return;
  event.preventDefault();
  const url = new URL(form.action);
  url.search = new URLSearchParams(new FormData(form)).toString();
  visit(url.href);
});

document.addEventListener("keydown", (event) => {
  const open = board.querySelector("details.custom[open]");
  if (event.key === "Escape" && open) {
    open.removeAttribute("open");
    open.querySelector("summary").focus();
  }
});

document.addEventListener("click", (event) => {
  const open = board.querySelector("details.custom[open]");
  if (open && !open.contains(event.target)) open.removeAttribute("open");
});

document.addEventListener("htmx:afterSwap", () => {
  const orders = document.getElementById("orders");
  if (orders) orders.dataset.grown = "yes";
});

addEventListener("popstate", () => visit(location.href));

/** Follows `as_of`; a page that nobody looks at neither listens nor asks. */
const follow = () => {
  const dot = document.getElementById("live");
  let stream = null;
  let due = 0;
  let first = true;
  const say = (state, title) => Object.assign(dot, { className: `dot ${state}`, title });
  const refresh = () => {
    due = 0;
    visit(shown, { quietly: true });
  };
  const open = () => {
    stream = new EventSource(board.dataset.stream);
    stream.addEventListener("open", () => say("on", "Live: new sales appear by themselves"));
    stream.addEventListener("error", () => say("off", "Not live: trying to reconnect"));
    stream.addEventListener("progress", () => {
      if (first) first = false;
      else if (!due) due = setTimeout(refresh, REFRESH_AT_MOST_EVERY_MS);
    });
  };
  const close = () => {
    stream?.close();
    clearTimeout(due);
    due = 0;
  };
  document.addEventListener("visibilitychange", () => {
    close();
    if (!document.hidden) {
      first = false;
      open();
    }
  });
  open();
};

draw();
follow();
