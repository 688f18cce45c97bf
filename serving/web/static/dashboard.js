// The script of pages with figures: switches tiles and periods, and shows new data without a reload.
import { createChart } from "./chart.js";

const MIN_PAUSE_MS = 2000;
/** The pause grows with the response time, so that many open pages do not overload the server. */
const PAUSE_PER_RESPONSE_TIME = 4;
const BUSY_AFTER_MS = 150;
/** How often a page that shows the last figures, because ClickHouse does not answer, asks for newer ones. */
const LAST_FIGURES_INTERVAL_MS = 5000;

const board = document.getElementById("board");
const chart = createChart(document.getElementById("chart"));
let metric = "net_sales";
let shownUrl = location.href;

const figures = () => JSON.parse(document.getElementById("chart-data").textContent);

const draw = () => {
  const tiles = [...board.querySelectorAll(".tile")];
  for (const tile of tiles) tile.setAttribute("aria-pressed", String(tile.dataset.metric === metric));
  const label = tiles.find((tile) => tile.dataset.metric === metric)?.querySelector(".tile-label").textContent;
  chart.draw(figures(), metric, label ?? gettext("Net sales"));
};

/** The lists of the page, each fetched from the address in its `data-part`. */
const parts = () => [...document.querySelectorAll("[data-part]")];

/** Whether the visitor is using a region: an open form, or a list of orders that was extended. */
const inUse = (region) => region.dataset.grown || region.querySelector("details[open]");

/** Replaces every region that has changed, so that others keep their focus and scroll position. In the background, skips regions in use. */
const replaceContent = (page, inBackground) => {
  for (const region of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(region.id);
    if (!fresh) continue;
    Object.assign(region.dataset, fresh.dataset);
    if (fresh.innerHTML === region.innerHTML && fresh.hidden === region.hidden) continue;
    if (inBackground && inUse(region)) continue;
    const focused = region.contains(document.activeElement) ? document.activeElement : null;
    const focusKey = focused?.dataset.metric ?? focused?.getAttribute("href");
    region.replaceWith(document.adoptNode(fresh));
    if (focusKey) document.querySelector(`[data-metric="${CSS.escape(focusKey)}"], a[href="${CSS.escape(focusKey)}"]`)?.focus();
    globalThis.htmx?.process(fresh);
  }
  for (const part of parts()) part.dataset.part = page.getElementById(part.id)?.dataset.part ?? part.dataset.part;
  draw();
};

/** Loads the content of a part. Drops the response if another period was selected meanwhile. */
const loadPart = async (part, signal, inBackground) => {
  const url = part.dataset.part;
  const isObsolete = () => signal.aborted || url !== part.dataset.part || inBackground && inUse(part);
  if (isObsolete()) return;
  const busy = inBackground ? undefined : setTimeout(() => part.setAttribute("aria-busy", "true"), BUSY_AFTER_MS);
  try {
    const response = await fetch(url, { signal, headers: { Accept: "text/html" } });
    if (!response.ok) throw new Error(`${url} returned ${response.status}`);
    const html = await response.text();
    if (isObsolete()) return;
    part.removeAttribute("aria-busy");
    if (inBackground && html === part.filledWith) return;
    part.innerHTML = part.filledWith = html;
    delete part.dataset.grown;
    globalThis.htmx?.process(part);
  } finally {
    clearTimeout(busy);
  }
};

/** Loads several parts. All are loaded, even if one of them fails. */
const loadParts = async (selected, signal, inBackground) => {
  const results = await Promise.allSettled(selected.map((part) => loadPart(part, signal, inBackground)));
  const failed = results.find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
};

/** Returns the pause in milliseconds after a request that started at `started`. */
const pauseAfter = (started) => Math.max(MIN_PAUSE_MS, PAUSE_PER_RESPONSE_TIME * (performance.now() - started));

/** Figures are current if their `as_of` is at most this old (serving/ops/figures_freshness.py). */
const CURRENT_WITHIN_MS = 60_000;

/** Returns the age of the figures in milliseconds by the server's clock, which may differ from the browser's; null without figures. */
const figuresAge = () => {
  const { now, asOf } = document.getElementById("fresh").dataset;
  if (!asOf) return null;
  if (now !== clock.now) Object.assign(clock, { now, ahead: Date.now() - Date.parse(now) });
  return Date.now() - clock.ahead - Date.parse(asOf);
};
/** The server's `now` that was read last, and how far the browser's clock was ahead of it. */
const clock = { now: null, ahead: 0 };

/** The controller of the request in progress. There is at most one: a visit, a refresh, or the first load of the lists. */
let activeRequest = null;

const fetchPage = async (url, signal) => {
  const response = await fetch(url, { signal, headers: { Accept: "text/html" } });
  return response.ok ? new DOMParser().parseFromString(await response.text(), "text/html") : null;
};

/** Navigates to `url` without a reload, and aborts the request in progress. */
const visit = async (url) => {
  activeRequest?.abort();
  const request = activeRequest = new AbortController();
  const busy = setTimeout(() => board.setAttribute("aria-busy", "true"), BUSY_AFTER_MS);
  try {
    const page = await fetchPage(url, request.signal);
    if (request.signal.aborted) return;
    if (!page) return void location.assign(url);
    if (url !== location.href) history.pushState(null, "", url);
    shownUrl = url;
    replaceContent(page, false);
    board.removeAttribute("aria-busy");
    clearTimeout(busy);
    await loadParts(parts(), request.signal, false);
  } catch {
    if (!request.signal.aborted) location.assign(url);
  } finally {
    clearTimeout(busy);
    if (activeRequest === request) {
      activeRequest = null;
      board.removeAttribute("aria-busy");
    }
  }
};

/** Refreshes the page and returns whether this succeeded. Does nothing during another request. */
const refresh = async () => {
  if (activeRequest) return false;
  const request = activeRequest = new AbortController();
  try {
    const page = await fetchPage(shownUrl, request.signal);
    if (!page || request.signal.aborted) return false;
    replaceContent(page, true);
    await loadParts(parts(), request.signal, true);
    return true;
  } catch {
    return false;
  } finally {
    if (activeRequest === request) activeRequest = null;
  }
};

/** Loads the lists, which are not part of the page's HTML. Lists that fail are requested again. */
const loadMissingParts = async (isRetry) => {
  const missing = parts().filter((part) => part.filledWith === undefined);
  if (!missing.length) return;
  const started = performance.now();
  if (!activeRequest && !(isRetry && document.hidden)) {
    const request = activeRequest = new AbortController();
    try {
      return await loadParts(missing, request.signal, false);
    } catch {
      // The parts that failed are requested again below.
    } finally {
      if (activeRequest === request) activeRequest = null;
    }
  }
  setTimeout(loadMissingParts, pauseAfter(started), true);
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

// Limits both dates, so that the browser refuses a first day after the last day.
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

/** Refreshes the page when one of its tables advances. A hidden page has no stream and does not refresh. */
const followProgress = () => {
  const dot = document.getElementById("live");
  const tables = new Set(board.dataset.follows.split(" "));
  let stream = null;
  let pauseTimer = 0; // -1 during a refresh
  let stale = false;
  let connected = false;
  /** The dot is green only while the stream is open and the figures are current. */
  const showState = () => {
    const age = figuresAge();
    const [state, title] = !connected ? ["off", gettext("Not live: trying to reconnect")]
      : age === null ? ["behind", gettext("Waiting for the first figures")]
      : age > CURRENT_WITHIN_MS ? ["behind", gettext("Live, but the figures are old: see up to when they are complete")]
      : ["on", gettext("Live: new sales appear without a reload")];
    Object.assign(dot, { className: `dot ${state}`, title });
  };
  setInterval(showState, 1000);
  // A page with the last figures asks for newer ones, also if no event arrives after the outage.
  setInterval(() => {
    if (document.getElementById("last-figures")?.hidden !== false) return;
    stale = true;
    update();
  }, LAST_FIGURES_INTERVAL_MS);
  /** Runs one refresh at a time, with a pause after each. Changes during the pause are part of the next refresh. */
  const update = async () => {
    if (pauseTimer || !stale || !stream) return;
    stale = false;
    const started = performance.now();
    pauseTimer = -1;
    if (!(await refresh())) stale = true;
    pauseTimer = setTimeout(endPause, pauseAfter(started));
  };
  const endPause = () => {
    pauseTimer = 0;
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
      // The first event of a stream always causes a refresh: the page may be from a process with an older reading.
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
