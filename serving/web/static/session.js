// The corner of the account on every page, and the renewal of the session while a page is visible.
(() => {
  const REFRESH_AFTER_MS = 600_000; // an access token is valid for 15 minutes
  const CHECK_EVERY_MS = 30_000;
  const MENU_VALID_MS = 60_000;
  const MENU = "souk.menu";
  const REFRESHED = "souk.refreshed";
  const ORDERS = "souk.orders";
  const PERSON = "souk.person"; // a person who is not of the demo is signed in in this browser

  // The cookie says that there is a session, and proves nothing. Without it, the page asks the server for nothing.
  const isPerson = () => document.cookie.split("; ").includes("souk_signed_in=1");
  const isDemo = () => document.cookie.split("; ").includes("souk_signed_in=demo");
  const hasSession = () => isPerson() || isDemo();
  document.documentElement.dataset.account = hasSession() ? "person" : "guest";

  // Reading the property `localStorage` throws if the browser forbids storage.
  const stored = (store, key) => {
    try {
      return JSON.parse(globalThis[store].getItem(key));
    } catch {
      return null;
    }
  };
  const store = (store, key, value) => {
    try {
      if (value === null) globalThis[store].removeItem(key);
      else globalThis[store].setItem(key, JSON.stringify(value));
    } catch {
      // Storage is full or forbidden: the menu is fetched for each page.
    }
  };

  // A sign-in makes the orders of this browser those of the person. They must not stay for whoever uses it next.
  // Those of a guest who looks around as a person of the demo stay the guest's.
  if (isPerson()) store("localStorage", PERSON, true);
  else if (stored("localStorage", PERSON)) {
    store("localStorage", ORDERS, null);
    store("localStorage", PERSON, null);
  }

  /** Renews the session. Returns whether there still is one. Tabs share the time of the last renewal. */
  const refresh = async () => {
    store("localStorage", REFRESHED, Date.now());
    // If the page is left meanwhile, the response must still arrive: it replaces the refresh token.
    const response = await fetch("/session/refresh", { method: "POST", keepalive: true });
    if (response.ok) return true;
    if (response.status !== 401) store("localStorage", REFRESHED, null); // not available: try again at the next check
    return response.status !== 401;
  };

  const refreshIfDue = async () => {
    if (document.hidden || !hasSession()) return;
    const last = stored("localStorage", REFRESHED);
    if (last !== null && Date.now() - last < REFRESH_AFTER_MS) return;
    try {
      await refresh();
    } catch {
      store("localStorage", REFRESHED, null); // the network does not answer: try again at the next check
    }
  };

  const showMenu = ({ name, sellers, admin }) => {
    const menu = document.getElementById("account-menu").content.cloneNode(true).firstElementChild;
    if (name) menu.querySelector("[data-name]").textContent = name;
    menu.querySelector("summary").setAttribute("aria-label", name ? gettext("Account of %(name)s", { name }) : gettext("Your account"));
    menu.querySelector("[data-admin]").hidden = !admin;
    const shops = menu.querySelector("[data-sellers]");
    shops.hidden = !sellers.length;
    for (const seller of sellers) {
      const link = document.createElement("a");
      link.href = `/sell/${encodeURIComponent(seller.seller_id)}${seller.packs_only ? "/fulfilment" : ""}`;
      link.textContent = seller.name ?? gettext("Seller %(id)s", { id: seller.seller_id.slice(0, 8) });
      const entry = document.createElement("li");
      entry.append(link);
      shops.querySelector("ul").append(entry);
    }
    const shown = document.querySelector("details.account-menu");
    if (shown?.open) return; // it is in use
    (shown ?? document.getElementById("account")).replaceWith(menu);
  };

  const showSignIn = () => {
    document.documentElement.dataset.account = "guest";
    store("sessionStorage", MENU, null);
    const link = document.getElementById("account");
    const here = location.pathname + location.search;
    if (link && !document.querySelector(".door")) link.href = `/sign-in?${new URLSearchParams({ next: here })}`;
    else if (link) link.href = "/sign-in";
    if (link) link.title = gettext("Sign in");
  };

  const fetchMenu = async () => {
    const response = await fetch("/session/me", { headers: { Accept: "application/json" } });
    return response.ok ? response.json() : null;
  };

  const showAccount = async () => {
    if (!hasSession()) return showSignIn();
    const kept = stored("sessionStorage", MENU);
    if (kept?.menu) showMenu(kept.menu);
    if (kept?.menu && Date.now() - kept.at < MENU_VALID_MS) return;
    try {
      let menu = await fetchMenu();
      if (menu && !menu.signed_in && (await refresh())) menu = await fetchMenu();
      if (!menu) return;
      if (!menu.signed_in) return showSignIn();
      store("sessionStorage", MENU, { menu, at: Date.now() });
      showMenu(menu);
    } catch {
      // The network does not answer: the link to the account stays.
    }
  };

  addEventListener("DOMContentLoaded", () => {
    showAccount();
    if (stored("localStorage", REFRESHED) === null && hasSession()) store("localStorage", REFRESHED, Date.now());
    setInterval(refreshIfDue, CHECK_EVERY_MS);
    document.addEventListener("visibilitychange", refreshIfDue);
    // A form may change the name, or who is signed in.
    document.addEventListener("submit", () => store("sessionStorage", MENU, null));
    document.addEventListener("click", ({ target }) => {
      const open = document.querySelector("details.account-menu[open]");
      if (open && !open.contains(target)) open.open = false;
    });
    document.addEventListener("keydown", ({ key }) => {
      const open = document.querySelector("details.account-menu[open]");
      if (key !== "Escape" || !open) return;
      open.open = false;
      open.querySelector("summary").focus();
    });
  });
  // The browser restored this page from its cache, perhaps from before a sign-in.
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
})();
