// Set before the first paint, so that nothing flashes.
(() => {
  const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const theme = kept("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
