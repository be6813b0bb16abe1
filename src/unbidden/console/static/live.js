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
// These are of the handling; the incident itself is as it was.
const HANDLED = new Set(["decided", "noted", "linked", "unlinked", "handling_carried", "opened_again"]);
// What comes close together is renewed once: soon after the first, and not again at once.
const SOON_MS = 150, APART_MS = 1500;
// A connection that is dead without a word is not noticed otherwise, and whoever looks is known by it: see presence.py.
const ANEW_MS = 45000;
const viewer = () => document.querySelector(".viewer")?.textContent.trim();

let looking = {};
function seen(told) { looking = told; document.dispatchEvent(new Event("looking")); }

class Looking extends HTMLElement {
  connectedCallback() { this.show(); document.addEventListener("looking", this); }
  disconnectedCallback() { document.removeEventListener("looking", this); }
  handleEvent() { this.show(); }
  show() {
    const others = (looking[this.dataset.of] ?? []).filter((name) => name !== viewer());
    const words = others.length ? `${this.dataset.words} ${others.join(", ")}` : "";
    if (this.textContent !== words) this.textContent = words;
    this.hidden = !words;
  }
}
customElements.define("u-looking", Looking);

class Live extends HTMLElement {
  connectedCallback() {
    if (this.dataset.still !== undefined) return;
    this.after = this.dataset.after ?? "";
    this.open();
    this.anew = setInterval(() => this.open(), ANEW_MS);
    addEventListener("pagehide", () => this.source?.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.back(); });
  }
  disconnectedCallback() { this.source?.close(); clearTimeout(this.again); clearInterval(this.anew); }
  open() {
    clearTimeout(this.again);
    const before = this.source;
    const here = document.querySelector("[data-incident]")?.dataset.incident;
    const asked = new URLSearchParams({ ...(this.after && { after: this.after }), ...(here && { looking: here }) });
    const source = this.source = new EventSource(`/v1/stream?${asked}`);
    source.addEventListener("open", () => {
      before?.close();
      if (this.dataset.state === "lost") this.renew();
      this.say("on", "live");
      this.tries = 0;
    });
    source.addEventListener("error", () => {
      before?.close();
      if (source !== this.source) return;
      this.say("lost", "disconnected");
      seen({});
      if (source.readyState !== EventSource.CLOSED) return;
      isOver().then((over) => over && this.over());
      this.tries = (this.tries ?? 0) + 1;
      clearTimeout(this.again);
      this.again = setTimeout(() => this.open(), Math.min(60000, 2000 * 2 ** this.tries));
    });
    source.addEventListener("incident", (event) => this.heard(event));
    source.addEventListener("over", () => this.over());
    source.addEventListener("lost", (event) => { this.after = event.lastEventId; this.renew(); });
    source.addEventListener("health", () => this.soon("live-incident"));
    source.addEventListener("looking", (event) => { try { seen(JSON.parse(event.data)); } catch { /* as before */ } });
  }
  // A page that the browser kept is looked at again: whoever signed out meanwhile is shown nothing of it.
  async back() { if (await isOver()) location.reload(); else this.open(); }
  over() {
    this.source?.close();
    clearTimeout(this.again);
    clearInterval(this.anew);
    seen({});
    this.say("over", "signed out");
    ended();
  }
  say(state, words) { this.dataset.state = state; this.querySelector(".words").textContent = words; this.title = { lost: "What is shown may be old. It is tried again by itself.", over: "What is shown may be old." }[state] ?? ""; }
  soon(name) {
    this.waiting ??= new Map();
    this.rung ??= new Map();
    if (this.waiting.has(name)) return;
    const rested = performance.now() - (this.rung.get(name) ?? -APART_MS);
    this.waiting.set(name, setTimeout(() => {
      this.waiting.delete(name);
      this.rung.set(name, performance.now());
      bell(name);
    }, Math.max(SOON_MS, APART_MS - rested)));
  }
  // Whether the panel holds words that are not sent yet; it is left as it is then.
  isTyping() {
    const panel = document.querySelector("#handling");
    return Boolean(panel && (panel.matches(":focus-within") || [...panel.querySelectorAll("textarea, input[name=value]:not([type=hidden])")].some((one) => one.value)));
  }
  renew() {
    this.soon("live-incident");
    this.soon("live-this");
    if (!this.isTyping()) this.soon("live-handling");
  }
  heard(event) {
    // Two streams overlap for a moment when one takes the other's place.
    if (Number(event.lastEventId) <= Number(this.after)) return;
    this.after = event.lastEventId;
    let told;
    try { told = JSON.parse(event.data); } catch { return; }
    this.soon("live-incident");
    const here = document.querySelector("[data-incident]");
    if (here?.dataset.incident === told.id) {
      // Whoever reads on is not disturbed by what was only decided.
      if (!HANDLED.has(told.what)) this.soon("live-this");
      const isTyping = this.isTyping();
      if (!isTyping) this.soon("live-handling");
      if (told.who && told.who !== viewer()) toast(`${told.who} changed this incident${isTyping ? "; your words are kept, save them to see it" : ""}.`);
      return;
    }
    if (WHATS[told.what] && told.severity !== "low") toast(`${told.user ?? "An incident"} ${WHATS[told.what]}`, `/incidents/${encodeURIComponent(told.id)}`);
  }
}
customElements.define("u-live", Live);
