// A page of figures that moves: picks tiles and periods, and follows new data without a reload.
import { createChart } from "./chart.js";

const REST_MS = 2000;
/** A page that was slow to answer rests longer, so that all open pages together never flood the server. */
const REST_TIMES_ANSWER = 4;
const BUSY_AFTER_MS = 150;

const board = document.getElementById("board");
const chart = createChart(document.getElementById("chart"));
let metric = "revenue";
let shown = location.href;

const figures = () => JSON.parse(document.getElementById("chart-data").textContent);

const draw = () => {
  const tiles = [...board.querySelectorAll(".tile")];
  for (const tile of tiles) tile.setAttribute("aria-pressed", String(tile.dataset.metric === metric));
  const label = tiles.find((tile) => tile.dataset.metric === metric)?.querySelector(".tile-label").textContent;
  chart.draw(figures(), metric, label ?? "Revenue");
};

/** The lists of the page, each fetched from the address in its `data-part`. */
const parts = () => [...document.querySelectorAll("[data-part]")];

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
  for (const part of parts()) part.dataset.part = page.getElementById(part.id)?.dataset.part ?? part.dataset.part;
  draw();
};

/** Fetches what a part shows. One that is of another period by then is left to whoever picked that. */
const fill = async (part, signal, quietly) => {
  const url = part.dataset.part;
  const left = () => signal.aborted || url !== part.dataset.part || quietly && inUse(part);
  if (left()) return;
  const busy = quietly ? undefined : setTimeout(() => part.setAttribute("aria-busy", "true"), BUSY_AFTER_MS);
  try {
    const answer = await fetch(url, { signal, headers: { Accept: "text/html" } });
    if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
    const html = await answer.text();
    if (left()) return;
    part.removeAttribute("aria-busy");
    if (quietly && html === part.filledWith) return;
    part.innerHTML = part.filledWith = html;
    delete part.dataset.grown;
    globalThis.htmx?.process(part);
  } finally {
    clearTimeout(busy);
  }
};

/** Fills all of them, those too that come after one that does not. */
const fillAll = async (which, signal, quietly) => {
  const filled = await Promise.allSettled(which.map((part) => fill(part, signal, quietly)));
  const failed = filled.find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
};

/** How long to ask for nothing after a question that was asked then. */
const rest = (started) => Math.max(REST_MS, REST_TIMES_ANSWER * (performance.now() - started));

let asking = null;

const fetchPage = async (url, signal) => {
  const answer = await fetch(url, { signal, headers: { Accept: "text/html" } });
  return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
};

/** Goes to `url` without a reload. What someone asks for comes before everything that is being fetched. */
const visit = async (url) => {
  asking?.abort();
  const own = asking = new AbortController();
  const busy = setTimeout(() => board.setAttribute("aria-busy", "true"), BUSY_AFTER_MS);
  try {
    const page = await fetchPage(url, own.signal);
    if (own.signal.aborted) return;
    if (!page) return void location.assign(url);
    if (url !== location.href) history.pushState(null, "", url);
    shown = url;
    takeOver(page, false);
    board.removeAttribute("aria-busy");
    clearTimeout(busy);
    await fillAll(parts(), own.signal, false);
  } catch {
    if (!own.signal.aborted) location.assign(url);
  } finally {
    clearTimeout(busy);
    if (asking === own) {
      asking = null;
      board.removeAttribute("aria-busy");
    }
  }
};

/** Brings what is shown up to date; says whether it did. It never gets in the way of a visit. */
const refresh = async () => {
  if (asking) return false;
  const own = asking = new AbortController();
  try {
    const page = await fetchPage(shown, own.signal);
    if (!page || own.signal.aborted) return false;
    takeOver(page, true);
    await fillAll(parts(), own.signal, true);
    return true;
  } catch {
    return false;
  } finally {
    if (asking === own) asking = null;
  }
};

/** The page came without its lists. What keeps one from coming may pass: it is asked for again. */
const begin = async (again) => {
  const missing = parts().filter((part) => part.filledWith === undefined);
  if (!missing.length) return;
  const started = performance.now();
  if (!asking && !(again && document.hidden)) {
    const own = asking = new AbortController();
    try {
      return await fillAll(missing, own.signal, false);
    } catch {
      // What came is there; what did not is among the missing of the next time.
    } finally {
      if (asking === own) asking = null;
    }
  }
  setTimeout(begin, rest(started), true);
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
  form.closest("details")?.removeAttribute("open");
  const url = new URL(form.action);
  url.search = new URLSearchParams(new FormData(form)).toString();
  visit(url.href);
});

// The first day is not after the last; the browser says so in its own words.
board.addEventListener("input", (event) => {
  const { from, until } = event.target.form?.elements ?? {};
  if (!from || !until) return;
  until.min = from.value;
  from.max = until.value;
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

/** Follows the tables behind this page; a page that nobody looks at neither listens nor asks. */
const follow = () => {
  const dot = document.getElementById("live");
  const tables = new Set(board.dataset.follows.split(" "));
  let stream = null;
  let resting = 0;
  let stale = false;
  let met = false;
  const say = (state, title) => Object.assign(dot, { className: `dot ${state}`, title });
  /** One refresh at a time, and a rest after each; whatever moves meanwhile is in the next. */
  const update = async () => {
    if (resting || !stale || !stream) return;
    stale = false;
    const started = performance.now();
    resting = -1;
    if (!(await refresh())) stale = true;
    resting = setTimeout(rested, rest(started));
  };
  const rested = () => {
    resting = 0;
    update();
  };
  const open = () => {
    stream = new EventSource(board.dataset.stream);
    let first = true;
    stream.addEventListener("open", () => say("on", "Live: new sales appear by themselves"));
    stream.addEventListener("error", () => {
      first = true;
      say("off", "Not live: trying to reconnect");
    });
    stream.addEventListener("progress", (event) => {
      const { moved } = JSON.parse(event.data);
      // The first event of a stream says nothing new to a page that has just come, and all to one that was away.
      stale ||= first ? met : moved.some((table) => tables.has(table));
      first = false;
      met = true;
      update();
    });
  };
  const close = () => {
    stream?.close();
    stream = null;
  };
  document.addEventListener("visibilitychange", () => {
    close();
    if (!document.hidden) open();
  });
  open();
};

draw();
begin(false);
follow();
