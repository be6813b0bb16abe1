// What happens elsewhere, as it happens. The browser reconnects by itself and says which event it had last.
import { ended, hear, isOver } from "./ended.js";

const bell = (name, detail) => document.body.dispatchEvent(new CustomEvent(name, { detail }));

export function toast(text, href) {
  const place = document.querySelector(".toasts");
  if (!place) return;
  const one = document.createElement("div");
  one.className = "toast";
  const words = document.createElement(href ? "a" : "span");
  words.textContent = text;
  if (href) words.href = href;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "plain";
  close.textContent = "×";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => one.remove());
  one.append(words, close);
  place.append(one);
  setTimeout(() => one.remove(), 12000);
  while (place.children.length > 3) place.firstChild.remove();
}

hear((text) => toast(text));

const WHATS = { opened: "is under attack", reopened: "is under attack again", stage_raised: "went further", severity_raised: "became more severe", withdrawn: "was withdrawn" };

class Live extends HTMLElement {
  connectedCallback() { if (this.dataset.still !== undefined) return; this.open(); addEventListener("pagehide", () => this.source?.close()); addEventListener("pageshow", (event) => { if (event.persisted) this.back(); }); }
  disconnectedCallback() { this.source?.close(); clearTimeout(this.again); }
  open() {
    this.source?.close();
    this.source = new EventSource("/v1/stream");
    this.source.addEventListener("open", () => {
      if (this.dataset.state === "lost") { bell("live-incident"); bell("live-this"); bell("live-handling"); }
      this.say("on", "live");
      this.tries = 0;
    });
    this.source.addEventListener("error", () => {
      this.say("lost", "disconnected");
      if (this.source.readyState !== EventSource.CLOSED) return;
      isOver().then((over) => over && this.over());
      this.tries = (this.tries ?? 0) + 1;
      clearTimeout(this.again);
      this.again = setTimeout(() => this.open(), Math.min(60000, 2000 * 2 ** this.tries));
    });
    this.source.addEventListener("incident", (event) => this.heard(event));
    this.source.addEventListener("over", () => this.over());
    this.source.addEventListener("health", () => this.soon("live-incident"));
  }
  // A page that the browser kept is looked at again: whoever signed out meanwhile is shown nothing of it.
  async back() { if (await isOver()) location.reload(); else this.open(); }
  over() {
    this.source?.close();
    clearTimeout(this.again);
    this.say("over", "signed out");
    ended();
  }
  say(state, words) { this.dataset.state = state; this.querySelector(".words").textContent = words; this.title = { lost: "What is shown may be old. It is tried again by itself.", over: "What is shown may be old." }[state] ?? ""; }
  soon(name) {
    this.waiting ??= new Map();
    clearTimeout(this.waiting.get(name));
    this.waiting.set(name, setTimeout(() => bell(name), 400));
  }
  heard(event) {
    let told;
    try { told = JSON.parse(event.data); } catch { return; }
    this.soon("live-incident");
    const here = document.querySelector("[data-incident]");
    const isHere = here?.dataset.incident === told.id;
    const viewer = document.querySelector(".viewer")?.textContent.trim();
    if (isHere) {
      this.soon("live-this");
      const panel = document.querySelector("#handling");
      const isTyping = panel && (panel.matches(":focus-within") || [...panel.querySelectorAll("textarea, input[type=url]")].some((one) => one.value));
      if (!isTyping) this.soon("live-handling");
      if (told.who && told.who !== viewer) toast(`${told.who} changed this incident${isTyping ? "; your words are kept, save them to see it" : ""}.`);
      return;
    }
    if (WHATS[told.what] && told.severity !== "low") toast(`${told.user ?? "An incident"} ${WHATS[told.what]}`, `/incidents/${encodeURIComponent(told.id)}`);
  }
}
customElements.define("u-live", Live);
