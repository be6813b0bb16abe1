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

// A list that is sieved by what is typed above it.
document.addEventListener("input", (event) => {
  const place = event.target.dataset?.sieve && document.querySelector(event.target.dataset.sieve);
  if (!place) return;
  const wanted = event.target.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
  for (const one of place.querySelectorAll(":scope > section > details")) {
    const text = one.textContent.toLowerCase();
    one.hidden = !wanted.every((word) => text.includes(word));
  }
  for (const section of place.querySelectorAll(":scope > section")) section.hidden = !section.querySelector(":scope > details:not([hidden])");
  place.querySelector("[data-none]").hidden = place.querySelector(":scope > section:not([hidden])") !== null;
});
// What somebody opened stays open when the part of the page around it is made anew.
const renewed = "#incident details, #steps details";
const nameOf = (one) => [...one.querySelectorAll(":scope > summary")].map((summary) => summary.textContent.trim()).join();
// Two parts may be made anew at once: what is open is known from when it was opened, not from how the page stands between the two.
const unfolded = new Set();
document.addEventListener("toggle", ({ target }) => { if (target.matches(renewed)) unfolded[target.open ? "add" : "delete"](nameOf(target)); }, true);
document.addEventListener("htmx:after:swap", () => { for (const one of document.querySelectorAll(renewed)) if (unfolded.has(nameOf(one))) one.open = true; });
// What an address points at within a page is opened.
const opened = () => { const one = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1))); if (one instanceof HTMLDetailsElement) { one.open = true; one.scrollIntoView(); } };
addEventListener("hashchange", opened);
opened();

// Every sheet says which incident it is of, when that was, whose time is shown, and when it was printed.
const minute = (at) => `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
addEventListener("beforeprint", () => {
  const one = document.querySelector("[data-incident]"), first = one?.querySelector("time");
  const zone = zoneOf(first?.parentElement.dataset.zone) ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const said = [one && `Incident ${one.dataset.incident}`, first && `began ${minute(first.dateTime)}`, `times in ${zone}`, `printed ${minute(Date.now())}`];
  document.documentElement.style.setProperty("--paper", JSON.stringify(said.filter(Boolean).join(" · ")));
});
