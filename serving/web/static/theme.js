// Sets the theme before the first paint: the visitor's choice, else the system's preference.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let choice = null; // the choice on this page, if it can't be stored
  const chosen = () => {
    try {
      return localStorage.getItem("theme") ?? choice;
    } catch {
      return choice; // the browser forbids storage
    }
  };
  const save = (theme) => {
    choice = theme;
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // Storage is full or forbidden: the choice is lost when the page closes.
    }
  };
  const apply = () => {
    root.dataset.theme = chosen() ?? (system.matches ? "dark" : "light");
    dispatchEvent(new Event("themechange"));
  };
  apply();
  system.addEventListener("change", apply);
  addEventListener("DOMContentLoaded", () => {
    // On a narrow screen, the tabs are one row that scrolls.
    document.querySelector(":is(.tabs, .subnav) [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
    document.getElementById("theme").addEventListener("click", () => {
      save(root.dataset.theme === "dark" ? "light" : "dark");
      apply();
    });
  });
})();
