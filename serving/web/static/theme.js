// Light or dark: what was chosen here before, else what the system prefers. Runs before the first paint.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  let picked = null; // here, on this page
  const chosen = () => {
    try {
      return localStorage.getItem("theme") ?? picked;
    } catch {
      return picked; // a browser that keeps nothing
    }
  };
  const keep = (theme) => {
    picked = theme;
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // A full or forbidden store: chosen for this page alone.
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
