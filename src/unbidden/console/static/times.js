// Times in the viewer's zone, in UTC, or in the zone of the person they are about.
const MODES = ["mine", "utc", "theirs"];
const WORDS = { mine: "my time", utc: "UTC", theirs: "their time" };
let mode = "mine";
try { mode = MODES.includes(localStorage.getItem("zone")) ? localStorage.getItem("zone") : "mine"; } catch { /* as before */ }

export const zoneOf = (theirs) => (mode === "utc" ? "UTC" : mode === "theirs" && theirs ? theirs : undefined);

const made = new Map();
export function format(at, zone, options) {
  const key = `${zone}|${JSON.stringify(options)}`;
  if (!made.has(key)) {
    try { made.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", ...options })); } catch { made.set(key, new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", hourCycle: "h23", ...options })); }
  }
  return made.get(key).format(at);
}
export const clock = (at, zone) => format(at, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
export const full = (at, zone) => format(at, zone, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" }).replace(",", "");
const short = (at, zone) => format(at, zone, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }).replace(",", "");
const title = (at, theirs) => [full(at, "UTC"), theirs ? `${full(at, theirs)} where they are` : "", full(at)].filter(Boolean).join("\n");

class Time extends HTMLElement {
  connectedCallback() { this.show(); document.addEventListener("zone", this); }
  disconnectedCallback() { document.removeEventListener("zone", this); }
  handleEvent() { this.show(); }
  show() {
    const time = this.querySelector("time");
    const at = new Date(time?.getAttribute("datetime"));
    if (Number.isNaN(at.getTime())) return;
    const zone = zoneOf(this.dataset.zone);
    time.textContent = short(at, zone) + (zone === "UTC" ? " UTC" : "");
    time.title = title(at, this.dataset.zone);
  }
}

export function length(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  if (s < 172800) return `${Math.round(s / 3600)} h`;
  return `${Math.round(s / 86400)} d`;
}

// The server's clock decides what is long ago, not the viewer's.
const ahead = (() => { const now = new Date(document.body?.dataset.now).getTime(); return Number.isNaN(now) ? 0 : now - Date.now(); })();

class Ago extends Time {
  connectedCallback() { super.connectedCallback(); this.timer = setInterval(() => this.show(), 30000); }
  disconnectedCallback() { super.disconnectedCallback(); clearInterval(this.timer); }
  show() {
    const time = this.querySelector("time");
    const at = new Date(time?.getAttribute("datetime"));
    if (Number.isNaN(at.getTime())) return;
    const s = (Date.now() + ahead - at) / 1000;
    time.textContent = s < 8 ? "now" : s > 1209600 ? short(at, zoneOf()) : `${length(s)} ago`;
    time.title = title(at);
  }
}
customElements.define("u-time", Time);
customElements.define("u-ago", Ago);

const say = () => { for (const one of document.querySelectorAll("[data-zone-switch] span")) one.textContent = WORDS[mode]; };
say();
document.addEventListener("click", (event) => {
  if (!event.target.closest?.("[data-zone-switch]")) return;
  const hasTheirs = document.querySelector("u-time[data-zone]") !== null;
  const modes = hasTheirs ? MODES : MODES.slice(0, 2);
  mode = modes[(modes.indexOf(mode) + 1) % modes.length];
  try { localStorage.setItem("zone", mode); } catch { /* as before */ }
  say();
  document.dispatchEvent(new Event("zone"));
});
