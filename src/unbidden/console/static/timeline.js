// The timeline of an incident. Long silences are cut out of the axis and said in words, so that what happened close together comes apart.
import { clock, format, full, length, zoneOf } from "./times.js";

const RIGHT = 30, TOP = 62, SVG = "http://www.w3.org/2000/svg";
const CUT_S = 1200, CUT_SHARE = 0.1, MOST_CUTS = 6, CUT_WIDTH = 34, CLOSE = 11;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 2592000];
const windows = new Map();

export function el(name, attributes = {}, text) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) one.setAttribute(key, value);
  if (text !== undefined) one.textContent = text;
  return one;
}

function axis(times, from, to, width) {
  const inside = [from, ...times.filter((t) => t > from && t < to), to];
  const gaps = inside.slice(1).map((t, i) => ({ i, span: (t - inside[i]) / 1000 })).sort((a, b) => b.span - a.span);
  const cuts = new Set();
  let left = (to - from) / 1000;
  for (const gap of gaps) {
    if (cuts.size >= Math.min(MOST_CUTS, Math.floor(width / 160)) || gap.span < CUT_S || gap.span < left * CUT_SHARE) break;
    cuts.add(gap.i);
    left -= gap.span;
  }
  const parts = [];
  let begin = 0;
  for (let i = 0; i < inside.length; i++) if (cuts.has(i) || i === inside.length - 1) { parts.push({ a: inside[begin], b: inside[i], n: i - begin }); begin = i + 1; }
  const spare = width - CUT_WIDTH * (parts.length - 1), least = Math.min(46, spare / parts.length);
  const total = parts.reduce((sum, part) => sum + (part.b - part.a), 0) || 1, count = parts.reduce((sum, part) => sum + part.n, 0) || 1;
  const rest = Math.max(0, spare - least * parts.length);
  let x = 0;
  for (const part of parts) {
    part.x = x;
    part.w = least + rest * (0.45 * (part.b - part.a) / total + 0.55 * part.n / count);
    x += part.w + CUT_WIDTH;
  }
  const scale = width / Math.max(1, x - CUT_WIDTH);
  for (const part of parts) { part.x *= scale; part.w *= scale; }
  const pad = (part) => Math.min(9, part.w / 3);
  return {
    parts,
    x(t) {
      const part = parts.find((one) => t <= one.b) ?? parts[parts.length - 1];
      const share = part.b === part.a ? 0.5 : Math.min(1, Math.max(0, (t - part.a) / (part.b - part.a)));
      return part.x + pad(part) + share * (part.w - 2 * pad(part));
    },
    t(x) {
      const part = parts.find((one) => x <= one.x + one.w) ?? parts[parts.length - 1];
      const share = (x - part.x - pad(part)) / Math.max(1, part.w - 2 * pad(part));
      return part.a + Math.min(1, Math.max(0, share)) * (part.b - part.a);
    },
  };
}

class Timeline extends HTMLElement {
  connectedCallback() {
    if (this.svg) return;
    try { this.data = JSON.parse(this.querySelector("script").textContent); } catch { return; }
    this.svg = this.querySelector("svg");
    this.says = this.querySelector(".detail");
    const { marks, alert, approval } = this.data;
    this.times = [...new Set([...marks.map((mark) => mark.t), ...[alert, approval].filter(Boolean)])].sort((a, b) => a - b);
    if (!this.times.length) return;
    const own = marks.filter((mark) => !mark.own).map((mark) => mark.t).concat([alert, approval].filter(Boolean));
    this.whole = [this.times[0], this.times[this.times.length - 1]];
    const first = own.length ? Math.min(...own) : this.whole[0], last = own.length ? Math.max(...own) : this.whole[1];
    this.core = [first, Math.max(last, first + 1000)];
    this.window = windows.get(this.dataset.key) ?? (marks.filter((mark) => mark.own).length <= 14 ? this.whole : this.core);
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this);
    document.addEventListener("zone", this);
    this.listen();
  }
  disconnectedCallback() { this.watch?.disconnect(); document.removeEventListener("zone", this); }
  handleEvent() { this.draw(); }

  look(from, to) {
    const least = 1000;
    let [a, b] = [Math.max(this.whole[0], from), Math.min(this.whole[1], to)];
    if (b - a < least) { const middle = (a + b) / 2; a = middle - least / 2; b = middle + least / 2; }
    this.window = [a, b];
    windows.set(this.dataset.key, this.window);
    this.draw();
  }
  zoom(factor, at = (this.width / 2)) {
    if (factor < 1) {
      const grow = (1 / factor - 1) / 2, span = this.window[1] - this.window[0];
      this.look(this.window[0] - span * grow - 30000, this.window[1] + span * grow + 30000);
      return;
    }
    const half = this.width / factor / 2, centre = Math.min(this.width - half, Math.max(half, at));
    this.look(this.axis.t(centre - half), this.axis.t(centre + half));
  }
  move(share) { const by = (this.window[1] - this.window[0]) * share; this.look(this.window[0] + by, this.window[1] + by); }

  listen() {
    const place = (event) => event.clientX - this.svg.getBoundingClientRect().left - this.left;
    let from = null;
    this.svg.addEventListener("pointerdown", (event) => { if (event.button === 0 && place(event) >= 0) from = place(event); });
    this.svg.addEventListener("pointermove", (event) => {
      if (from === null || !this.brush) return;
      const to = place(event), [a, b] = [Math.min(from, to), Math.max(from, to)];
      this.brush.setAttribute("x", this.left + Math.max(0, a));
      this.brush.setAttribute("width", Math.max(0, Math.min(this.width, b) - Math.max(0, a)));
    });
    addEventListener("pointerup", (event) => {
      if (from === null || !this.isConnected) return;
      const to = place(event), [a, b] = [Math.min(from, to), Math.max(from, to)];
      from = null;
      this.brush?.setAttribute("width", 0);
      if (b - a > 14) this.look(this.axis.t(a), this.axis.t(b));
    });
    this.svg.addEventListener("dblclick", () => this.look(...this.core));
    this.svg.addEventListener("wheel", (event) => { if (!event.ctrlKey && !event.metaKey) return; event.preventDefault(); this.zoom(event.deltaY < 0 ? 1.5 : 1 / 1.5, place(event)); }, { passive: false });
    this.svg.addEventListener("keydown", (event) => this.key(event));
    this.closest("section")?.querySelector(".tools")?.addEventListener("click", (event) => {
      const what = event.target.closest("[data-zoom]")?.dataset.zoom;
      if (what === "in") this.zoom(1.8);
      else if (what === "out") this.zoom(1 / 1.8);
      else if (what === "back") this.move(-0.4);
      else if (what === "on") this.move(0.4);
      else if (what === "all") this.look(...(this.window[0] === this.core[0] && this.window[1] === this.core[1] ? this.whole : this.core));
    });
  }
  key(event) {
    const at = this.groups.findIndex((group) => group.node === event.target.closest?.(".mark"));
    if (event.key === "+" || event.key === "=") this.zoom(1.8, at >= 0 ? this.groups[at].x : undefined);
    else if (event.key === "-") this.zoom(1 / 1.8);
    else if (event.key === "0") this.look(...this.core);
    else if (event.key === "ArrowRight") this.go(Math.min(this.groups.length - 1, at + 1));
    else if (event.key === "ArrowLeft") this.go(Math.max(0, at - 1));
    else if (event.key === "Home") this.go(0);
    else if (event.key === "End") this.go(this.groups.length - 1);
    else if (event.key === "ArrowUp" || event.key === "ArrowDown") this.lane(at, event.key === "ArrowUp" ? -1 : 1);
    else return;
    event.preventDefault();
  }
  lane(at, by) {
    const here = this.groups[at] ?? this.groups[0], lanes = [...new Set(this.groups.map((group) => group.lane))].sort((a, b) => a - b);
    const wanted = lanes[lanes.indexOf(here.lane) + by];
    const found = this.groups.filter((group) => group.lane === wanted).sort((a, b) => Math.abs(a.x - here.x) - Math.abs(b.x - here.x))[0];
    if (found) this.go(this.groups.indexOf(found));
  }
  go(index) {
    const group = this.groups[index];
    if (!group) return;
    for (const one of this.groups) one.node.setAttribute("tabindex", one === group ? 0 : -1);
    group.node.focus({ preventScroll: true });
  }

  draw() {
    this.left = this.clientWidth < 620 ? 92 : 158;
    this.width = this.clientWidth - this.left - RIGHT;
    if (this.width < 60 || !this.times) return;
    const focused = this.groups?.find((group) => group.node === document.activeElement)?.marks[0];
    const { lanes, approval, alert } = this.data, [from, to] = this.window, zone = zoneOf(this.data.zone);
    const height = Number(this.svg.getAttribute("height"));
    // Drawn for this width; on paper, which is narrower, it is made smaller as a whole.
    this.svg.setAttribute("viewBox", `0 0 ${this.clientWidth} ${height}`);
    this.svg.setAttribute("preserveAspectRatio", "xMinYMin meet");
    this.axis = axis(this.times, from, to, this.width);
    const inside = (t) => t !== null && t >= from && t <= to, body = el("g", { transform: `translate(${this.left} 0)` });
    this.svg.replaceChildren(body);
    if (inside(approval) || (approval && approval < from)) {
      const x = approval < from ? 0 : this.axis.x(approval);
      body.append(el("rect", { class: "after", x, y: 36, width: Math.max(2, this.width + RIGHT - x), height: height - 42 }));
    }
    this.drawAxis(body, height, zone);
    for (const [index, lane] of lanes.entries()) {
      if (index && lanes[index - 1].group !== lane.group) body.append(el("path", { class: "sep", d: `M${-this.left} ${lane.y - 19}H${this.width + RIGHT}` }));
      body.append(el("path", { class: "rail", d: `M0 ${lane.y}H${this.width}` }));
      this.title(body, lane);
    }
    if (inside(alert)) {
      const x = this.axis.x(alert), fits = x + 190 < this.width;
      body.append(el("path", { class: "alertline", d: `M${x} 40V${height - 6}` }));
      body.append(el("text", { class: "alertwords", x: fits ? x + 5 : x - 5, y: approval && Math.abs(this.axis.x(approval) - x) < 360 ? 60 : 50, "text-anchor": fits ? "start" : "end" }, `enough evidence ${clock(alert, zone)}`));
    }
    if (inside(approval)) {
      const x = this.axis.x(approval), words = `APPROVED ${clock(approval, zone)}`, w = words.length * 7.7 + 18, left = x + w <= this.width + RIGHT ? x : x - w;
      body.append(el("path", { class: "pole", d: `M${x} 34V${height - 6}` }), el("rect", { class: "flag", x: left, y: 34, width: w, height: 20, rx: 2 }), el("text", { class: "flagwords", x: left + w / 2, y: 48, "text-anchor": "middle" }, words));
    }
    this.drawMarks(body, from, to, zone);
    this.brush = el("rect", { class: "brush", x: 0, y: TOP - 26, width: 0, height: height - TOP + 20 });
    this.svg.append(this.brush);
    const again = focused && this.groups.findIndex((group) => group.marks.includes(focused));
    if (again !== undefined && again >= 0) this.go(again);
  }
  title(body, lane) {
    const isStrong = ["approved", "factor", "device"].includes(lane.sign), cls = isStrong ? "strong" : lane.group === "ordinary" || lane.group === "asked" ? "dim" : "";
    if (lane.title.length > 1) {
      body.append(el("text", { class: cls, x: -12, y: lane.y - 1, "text-anchor": "end" }, cut(lane.title[0], this.left < 100 ? 13 : 21)), el("text", { class: "dim", x: -12, y: lane.y + 12, "text-anchor": "end", "font-size": 10.5 }, cut(lane.title[1], this.left < 100 ? 14 : 24)));
    } else body.append(el("text", { class: cls, x: -12, y: lane.y + 4, "text-anchor": "end" }, `${cut(lane.title[0], this.left < 100 ? 9 : 18)}${lane.n > 1 ? `  ${lane.n}` : ""}`));
  }
  drawAxis(body, height, zone) {
    let shown = "", dayEnd = -Infinity, clockEnd = -Infinity;
    for (const [index, part] of this.axis.parts.entries()) {
      if (index) {
        const before = this.axis.parts[index - 1], left = before.x + before.w + 5;
        body.append(el("rect", { class: "cut", x: left, y: 36, width: Math.max(4, part.x - left - 5), height: height - 42, rx: 3 }));
        body.append(el("text", { class: "cutwords", transform: `translate(${(left + part.x - 5) / 2 + 4} ${height - 12}) rotate(-90)`, "text-anchor": "start" }, length((part.a - before.b) / 1000)));
      }
      const span = (part.b - part.a) / 1000, step = STEPS.find((one) => one * part.w >= span * 74) ?? 2592000;
      const offset = shift(part.a, zone), ticks = [];
      for (let t = Math.ceil((part.a / 1000 + offset) / step) * step - offset; t * 1000 <= part.b && ticks.length < 40; t += step) ticks.push(t * 1000);
      const isRound = ticks.length > 0;
      if (!isRound) ticks.push(part.a);
      for (const t of ticks) {
        const x = this.axis.x(t), day = format(t, zone, { weekday: "short", day: "numeric", month: "short" });
        body.append(el("path", { class: "grid", d: `M${x} 36V${height - 6}` }));
        const told = format(t, zone, { hour: "2-digit", minute: "2-digit", ...(step < 60 && isRound && span >= 1 ? { second: "2-digit" } : {}) });
        if (x - told.length * 3.3 > clockEnd) {
          body.append(el("text", { class: day !== shown ? "" : "dim", x, y: 28, "text-anchor": "middle" }, told));
          clockEnd = x + told.length * 3.3 + 6;
        }
        if (day === shown) continue;
        // A day is said in as many words as there is room for.
        const begin = (one) => (x < 30 ? x : x - one.length * 3.6), fitting = [day, day.replace(/^\S+ /, ""), day.replace(/\D/g, "")].find((one) => begin(one) > dayEnd);
        if (!fitting) continue;
        body.append(el("text", { class: "strong", x: begin(fitting), y: 12 }, fitting));
        dayEnd = begin(fitting) + fitting.length * 7.2 + 8;
        shown = day;
      }
    }
    body.append(el("text", { class: "dim", x: -12, y: 28, "text-anchor": "end" }, zone === "UTC" ? "UTC" : format(this.window[0], zone, { timeZoneName: "short" }).replace(/^.*,\s*/, "")));
  }
  drawMarks(body, from, to, zone) {
    const { lanes, marks } = this.data, last = new Map();
    this.groups = [];
    for (const mark of [...marks].sort((a, b) => a.t - b.t)) {
      if (mark.t < from || mark.t > to) continue;
      const lane = lanes[mark.lane], x = this.axis.x(mark.t);
      if (lane.group === "asked") { body.append(el("use", { href: "#s-request", class: "request", transform: `translate(${x} ${lane.y})` })); continue; }
      const before = last.get(mark.lane);
      if (before && x - before.x < CLOSE && before.marks[0].sign === mark.sign) { before.marks.push(mark); continue; }
      const group = { x, lane: mark.lane, marks: [mark] };
      last.set(mark.lane, group);
      this.groups.push(group);
    }
    for (const [index, group] of this.groups.entries()) {
      const mark = group.marks[0], node = el("g", { class: "mark", transform: `translate(${group.x} ${lanes[group.lane].y})`, tabindex: index ? -1 : 0, role: "img", "aria-label": this.words(group, zone) });
      node.append(el("circle", { class: "ring", r: 11 }), el("circle", { r: 12, fill: "transparent" }), el("use", { href: `#s-${mark.sign}`, class: mark.own ? "own" : mark.sign }));
      if (group.marks.length > 3) node.append(el("text", { class: "count", x: 7, y: -5 }, group.marks.length));
      node.addEventListener("pointerenter", () => this.tell(group));
      node.addEventListener("focus", () => this.tell(group));
      group.node = node;
      body.append(node);
    }
  }
  words(group, zone) {
    const mark = group.marks[0];
    return group.marks.length > 1 ? `${group.marks.length} × ${mark.what}, ${clock(mark.t, zone)} to ${clock(group.marks[group.marks.length - 1].t, zone)}` : [`${mark.what} ${clock(mark.t, zone)}`, mark.kind, mark.factor, mark.app, mark.from].filter(Boolean).join(", ");
  }
  tell(group) {
    const mark = group.marks[0], many = group.marks.length > 1, last = group.marks[group.marks.length - 1];
    for (const one of this.groups) one.node.classList.toggle("on", one === group);
    const sign = el("svg", { class: `sign ${mark.sign}`, viewBox: "-9 -9 18 18", "aria-hidden": "true" });
    sign.append(el("use", { href: `#s-${mark.sign}`, class: mark.own ? "own" : mark.sign }));
    const strong = document.createElement("b"), rest = document.createElement("span"), soft = document.createElement("span");
    strong.textContent = many ? `${group.marks.length} × ${mark.what}` : mark.what;
    const froms = [...new Set(group.marks.map((one) => one.from).filter(Boolean))], apps = [...new Set(group.marks.map((one) => one.app).filter(Boolean))];
    rest.textContent = ` ${[mark.took, mark.kind !== "prompt" && mark.kind !== mark.what ? mark.kind : "", mark.factor, apps.length ? `to ${apps.join(", ")}` : "", froms.length ? `from ${froms.slice(0, 2).join("; ")}` : "", many ? "" : mark.known, mark.answered ? `answered from ${mark.answered}` : ""].filter(Boolean).join(" · ")}`;
    soft.className = "soft";
    const zone = this.data.zone, when = (t) => [full(t, zoneOf(zone)), zone && zoneOf(zone) !== zone ? `${full(t, zone)} where they are` : "", zoneOf(zone) === "UTC" ? "" : `${clock(t, "UTC")} UTC`].filter(Boolean).join(" · ");
    soft.textContent = many ? `${full(mark.t, zoneOf(zone))} to ${clock(last.t, zoneOf(zone))}` : when(mark.t);
    this.says.replaceChildren(sign, strong, rest, document.createElement("br"), soft);
  }
}

const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function shift(t, zone) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" }).formatToParts(t).map((part) => [part.type, Number(part.value)]));
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) / 1000 - Math.floor(t / 1000);
}

customElements.define("u-timeline", Timeline);
