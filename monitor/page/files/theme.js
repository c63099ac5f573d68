// The theme of the page: as the system has it, light, or dark; kept in the browser.

const KEY = "volatility-theme";

export function themeOf(choice, systemIsDark) {
  if (choice === "light" || choice === "dark") return choice;
  return systemIsDark ? "dark" : "light";
}

export function followTheme(select, onChange) {
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    document.documentElement.dataset.theme = themeOf(select.value, system.matches);
    onChange();
  };
  select.value = kept(KEY) ?? "auto";
  select.addEventListener("change", () => { keep(KEY, select.value); apply(); });
  system.addEventListener("change", apply);
  apply();
}

// Storage may be forbidden: then a choice lasts as long as the tab.
export function kept(key) {
  try { return window.localStorage.getItem(key); } catch { return null; }
}

export function keep(key, value) {
  try { window.localStorage.setItem(key, value); } catch { /* as said above */ }
}
