// Sets the theme before the first paint: the visitor's choice, else the system's preference.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let picked = null; // the choice on this page
  const chosen = () => {
    try {
      return localStorage.getItem("theme") ?? picked;
    } catch {
      return picked; // the browser forbids storage
    }
  };
  const keep = (theme) => {
    picked = theme;
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // Storage is full or forbidden: the choice is for this page alone.
    }
  };
  const apply = () => {
    root.dataset.theme = chosen() ?? (system.matches ? "dark" : "light");
    dispatchEvent(new Event("themechange"));
  };
  apply();
  system.addEventListener("change", apply);
  addEventListener("DOMContentLoaded", () => {
    document.getElementById("theme").addEventListener("click", () => {
      keep(root.dataset.theme === "dark" ? "light" : "dark");
      apply();
    });
  });
})();
