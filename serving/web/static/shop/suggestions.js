// Suggestions while typing in the search of the shop, and the newest searches of this browser before. The form works without.
import { newestSearches, saveSearch } from "./storage.js";

const TYPING_MS = 120;
const MAX_CHARS = 200;

const input = document.getElementById("find");
const box = document.getElementById("suggestions");
let timer = null;
let latest = 0; // a response that arrives after a newer question is dropped

const options = () => [...box.querySelectorAll("[role=option]")];
const active = () => options().find((one) => one.getAttribute("aria-selected") === "true");

const close = () => {
  clearTimeout(timer);
  latest += 1;
  box.hidden = true;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
};

const open = () => {
  const some = options().length > 0 && document.activeElement === input;
  box.hidden = !some;
  input.setAttribute("aria-expanded", String(some));
};

const choose = (option) => {
  for (const one of options()) one.setAttribute("aria-selected", String(one === option));
  if (option) input.setAttribute("aria-activedescendant", option.id);
  else input.removeAttribute("aria-activedescendant");
  option?.scrollIntoView({ block: "nearest" });
};

/** Shows the newest searches of this browser. */
const showNewest = () => {
  latest += 1;
  box.replaceChildren(
    ...newestSearches().map((text, number) => {
      const option = document.createElement("li");
      option.id = `suggestion-newest-${number}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.link = `/shop/products?${new URLSearchParams({ q: text })}`;
      option.textContent = text;
      return option;
    }),
  );
  open();
};

const suggest = async () => {
  const text = input.value.trim();
  if (!text) return showNewest();
  const question = (latest += 1);
  try {
    const response = await fetch(`/shop/suggestions?${new URLSearchParams({ q: text.slice(0, MAX_CHARS) })}`);
    if (!response.ok || question !== latest) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html").body;
    if (question !== latest) return;
    box.replaceChildren(...fresh.childNodes);
    input.removeAttribute("aria-activedescendant");
    open();
  } catch {
    close(); // the form still works
  }
};

const move = (step) => {
  const all = options();
  const at = all.indexOf(active());
  choose(all[at + step] ?? (at === -1 ? all.at(step < 0 ? -1 : 0) : undefined));
};

const searched = document.getElementById("found")?.dataset.search;
if (searched) saveSearch(searched);
if (input && box) {
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(suggest, TYPING_MS);
  });
  input.addEventListener("focus", () => {
    if (!input.value.trim()) showNewest();
  });
  input.addEventListener("blur", close);
  box.addEventListener("pointerdown", (event) => event.preventDefault()); // the input keeps the focus until the click
  box.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.assign(option.dataset.link);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !box.hidden) {
      event.preventDefault();
      close();
    } else if (!box.hidden && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !box.hidden && active()) {
      event.preventDefault();
      location.assign(active().dataset.link);
    }
  });
  if (document.activeElement === input) suggest(); // somebody has begun to type before this script was there
}
