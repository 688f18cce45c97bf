// The script of pages with figures: switches tiles and periods, and shows new data without a reload.
import { createChart } from "./chart.js";

const REST_MS = 2000;
/** After a slow response a page waits longer, so that many open pages do not overload the server. */
const REST_PER_RESPONSE_TIME = 4;
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

/** Whether the visitor is using a region: an open form, or a list of orders that was extended. */
const inUse = (region) => region.dataset.grown || region.querySelector("details[open]");

/** Replaces every region that differs. Unchanged regions keep their focus and scroll position. */
const replaceContent = (page, quietly) => {
  for (const region of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(region.id);
    if (!fresh) continue;
    Object.assign(region.dataset, fresh.dataset);
    if (fresh.innerHTML === region.innerHTML && fresh.hidden === region.hidden) continue;
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

/** Loads the content of a part. A response for a period that is no longer selected is dropped. */
const loadPart = async (part, signal, quietly) => {
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

/** Loads several parts. A part that fails does not stop the others. */
const loadParts = async (which, signal, quietly) => {
  const filled = await Promise.allSettled(which.map((part) => loadPart(part, signal, quietly)));
  const failed = filled.find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
};

/** How long to wait after a request that started at `started`. */
const rest = (started) => Math.max(REST_MS, REST_PER_RESPONSE_TIME * (performance.now() - started));

/** Figures are current while their `as_of` is at most so old (serving/ops/backlog.py). */
const CURRENT_WITHIN_MS = 60_000;

/** The age of the figures in milliseconds by the server's clock, which may differ from the browser's; null without figures. */
const figuresAge = () => {
  const { now, asOf } = document.getElementById("fresh").dataset;
  if (!asOf) return null;
  if (now !== clock.now) Object.assign(clock, { now, ahead: Date.now() - Date.parse(now) });
  return Date.now() - clock.ahead - Date.parse(asOf);
};
/** The server's `now` that was read last, and how far the browser's clock was ahead of it. */
const clock = { now: null, ahead: 0 };

let asking = null;

const fetchPage = async (url, signal) => {
  const answer = await fetch(url, { signal, headers: { Accept: "text/html" } });
  return answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
};

/** Goes to `url` without a reload, and aborts everything that is being fetched. */
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
    replaceContent(page, false);
    board.removeAttribute("aria-busy");
    clearTimeout(busy);
    await loadParts(parts(), own.signal, false);
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

/** Refreshes the page and returns whether it succeeded. It does nothing during a visit. */
const refresh = async () => {
  if (asking) return false;
  const own = asking = new AbortController();
  try {
    const page = await fetchPage(shown, own.signal);
    if (!page || own.signal.aborted) return false;
    replaceContent(page, true);
    await loadParts(parts(), own.signal, true);
    return true;
  } catch {
    return false;
  } finally {
    if (asking === own) asking = null;
  }
};

/** Loads the lists, which are not part of the page's HTML. A list that fails is requested again. */
const loadMissingParts = async (again) => {
  const missing = parts().filter((part) => part.filledWith === undefined);
  if (!missing.length) return;
  const started = performance.now();
  if (!asking && !(again && document.hidden)) {
    const own = asking = new AbortController();
    try {
      return await loadParts(missing, own.signal, false);
    } catch {
      // The parts that failed are requested again below.
    } finally {
      if (asking === own) asking = null;
    }
  }
  setTimeout(loadMissingParts, rest(started), true);
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

// Limits both dates, so that the browser refuses a first day after the last one.
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

/** Refreshes the page when one of its tables advances. A hidden page neither listens nor refreshes. */
const followProgress = () => {
  const dot = document.getElementById("live");
  const tables = new Set(board.dataset.follows.split(" "));
  let stream = null;
  let resting = 0;
  let stale = false;
  let connected = false;
  /** The dot is green only while the stream is open and the figures are current. */
  const showState = () => {
    const age = figuresAge();
    const [state, title] = !connected ? ["off", "Not live: trying to reconnect"]
      : age === null ? ["behind", "Waiting for the first figures"]
      : age > CURRENT_WITHIN_MS ? ["behind", "Live, but the figures are old: see up to when they are complete"]
      : ["on", "Live: new sales appear without a reload"];
    Object.assign(dot, { className: `dot ${state}`, title });
  };
  setInterval(showState, 1000);
  /** Runs one refresh at a time, with a pause after each. Changes in between are in the next one. */
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
    stream.addEventListener("open", () => {
      connected = true;
      showState();
    });
    stream.addEventListener("error", () => {
      first = true;
      connected = false;
      showState();
    });
    stream.addEventListener("progress", (event) => {
      const { moved } = JSON.parse(event.data);
      // The first event of a stream is always news: another process may have rendered the page from an older reading.
      stale ||= first || moved.some((table) => tables.has(table));
      first = false;
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
loadMissingParts(false);
followProgress();
