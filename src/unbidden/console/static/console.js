import { zoneOf } from "./times.js";
import "./timeline.js";
import "./chart.js";
import "./map.js";
import "./live.js";

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-theme-switch]")) return;
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* it holds for this page then */ }
  document.dispatchEvent(new Event("theme"));
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("theme")));

// Every sheet says which incident it is of, when that was, whose time is shown, and when it was printed.
const minute = (at) => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
addEventListener("beforeprint", () => {
  const one = document.querySelector("[data-incident]"), first = one?.querySelector("time");
  const zone = zoneOf(first?.parentElement.dataset.zone) ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const said = [one && `Incident ${one.dataset.incident}`, first && `began ${minute(first.dateTime)}`, `times in ${zone}`, `printed ${minute(Date.now())}`];
  document.documentElement.style.setProperty("--paper", JSON.stringify(said.filter(Boolean).join(" · ")));
});
