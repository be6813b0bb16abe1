// The map: who asked, who answered, and the line between them. Land and countries' middles come from a file beside this one.
import { el } from "./timeline.js";

let world;
const load = () => (world ??= fetch("/static/vendor/world.json").then((answer) => (answer.ok ? answer.json() : null)).catch(() => null));

// Natural Earth by Tom Patterson, in the polynomial of Šavrič et al. (2011).
function project(lon, lat) {
  const p = lat * Math.PI / 180, p2 = p * p, p4 = p2 * p2;
  const x = lon * Math.PI / 180 * (0.8707 - 0.131979 * p2 + p4 * (-0.013791 + p4 * (0.003971 * p2 - 0.001529 * p4)));
  const y = p * (1.007226 + p2 * (0.015085 + p4 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4)));
  return [x * 100, -y * 100];
}
const path = (rings) => rings.map((ring) => `M${ring.map(([lon, lat]) => project(lon, lat).map((v) => v.toFixed(1)).join(" ")).join("L")}Z`).join("");

class Map_ extends HTMLElement {
  async connectedCallback() {
    let spots;
    try { spots = JSON.parse(this.querySelector("script").textContent); } catch { return; }
    const found = await load();
    if (!found || !this.isConnected) { this.hidden = !found; return; }
    const placed = spots.map((spot) => ({ ...spot, at: this.place(spot, found) })).filter((spot) => spot.at);
    this.draw(found, placed);
    this.watch = new ResizeObserver(() => this.draw(found, placed));
    this.watch.observe(this);
  }
  disconnectedCallback() { this.watch?.disconnect(); }
  place(spot, found) {
    if (spot.lat !== null && spot.lon !== null) return project(spot.lon, spot.lat);
    const middle = found.countries[spot.country];
    return middle ? project(middle[0], middle[1]) : null;
  }
  view(placed, aspect) {
    if (!placed.length) return [-255, -132, 510, 510 / aspect];
    const xs = placed.map((spot) => spot.at[0]), ys = placed.map((spot) => spot.at[1]);
    let w = Math.max(150, (Math.max(...xs) - Math.min(...xs)) * 1.35), h = Math.max(150 / aspect, (Math.max(...ys) - Math.min(...ys)) * 1.7);
    if (w / h < aspect) w = h * aspect; else h = w / aspect;
    w = Math.min(w, 530); h = w / aspect;
    const cx = (Math.min(...xs) + Math.max(...xs)) / 2, cy = (Math.min(...ys) + Math.max(...ys)) / 2 - h * 0.04;
    return [Math.max(-275, Math.min(275 - w, cx - w / 2)), Math.max(-140, Math.min(150 - h, cy - h / 2)), w, h];
  }
  draw(found, placed) {
    const width = this.clientWidth, height = this.clientHeight;
    if (!width) return;
    const [x, y, w, h] = this.view(placed, width / height), unit = w / width;
    const svg = el("svg", { viewBox: `${x} ${y} ${w} ${h}`, "aria-hidden": "true" });
    svg.append(el("path", { class: "m-land", d: path(found.land) }));
    const groups = new Map();
    for (const spot of placed) { const key = spot.id ?? ""; groups.set(key, [...(groups.get(key) ?? []), spot]); }
    for (const spots of groups.values()) this.arcs(svg, spots);
    const order = { usual: 0, phone: 1, requester: 2 };
    for (const spot of [...placed].sort((a, b) => order[a.who] - order[b.who] || a.ok - b.ok)) {
      const g = el("g", { transform: `translate(${spot.at[0]} ${spot.at[1]}) scale(${unit})` }), size = spot.who === "requester" ? Math.min(10, 4.5 + Math.sqrt(spot.n)) : 5;
      if (spot.who === "requester") g.append(el("path", { class: `m-requester${spot.ok ? " ok" : ""}`, d: spot.ok ? `M0 ${-size - 2} ${size + 2} 0 0 ${size + 2} ${-size - 2} 0Z` : `M${-size / 1.3} ${-size / 1.3}H${size / 1.3}V${size / 1.3}H${-size / 1.3}Z` }));
      else g.append(el("circle", { class: spot.who === "phone" ? "m-phone" : "m-usual", r: size }));
      g.append(el("title", {}, [spot.user, spot.label, spot.who === "requester" ? `${spot.n} asked from here` : ""].filter(Boolean).join(" · ")));
      svg.append(g);
    }
    this.labels(svg, placed, unit, [x, y, w, h]);
    for (const old of this.querySelectorAll("svg")) old.remove();
    this.append(svg);
  }
  arcs(svg, spots) {
    const targets = spots.filter((spot) => spot.who === "phone"), rest = spots.filter((spot) => spot.who === "usual"), ends = targets.length ? targets : rest.slice(0, 1);
    for (const from of spots.filter((spot) => spot.who === "requester")) for (const to of ends) {
      const [ax, ay] = from.at, [bx, by] = to.at, far = Math.hypot(bx - ax, by - ay);
      if (far < 2) continue;
      svg.append(el("path", { class: `m-arc${from.ok ? " ok" : ""}${targets.length ? "" : " usual"}`, d: `M${ax} ${ay}Q${(ax + bx) / 2} ${(ay + by) / 2 - far * 0.22} ${bx} ${by}` }));
    }
  }
  labels(svg, placed, unit, [x, y, w]) {
    const taken = [], seen = new Set();
    for (const spot of [...placed].sort((a, b) => b.ok - a.ok || b.n - a.n)) {
      const words = spot.label.length > 26 ? `${spot.label.slice(0, 25)}…` : spot.label, wide = words.length * 6.6 * unit, high = 14 * unit;
      if (!words || seen.has(words)) continue;
      const isLeft = spot.at[0] + 12 * unit + wide > x + w, left = isLeft ? spot.at[0] - 11 * unit - wide : spot.at[0] + 11 * unit, box = [left, spot.at[1] - high / 2, left + wide, spot.at[1] + high / 2];
      if (box[1] < y || taken.some((one) => one[0] < box[2] && one[2] > box[0] && one[1] < box[3] && one[3] > box[1])) continue;
      taken.push(box);
      seen.add(words);
      const g = el("g", { transform: `translate(${isLeft ? left + wide : left} ${spot.at[1]}) scale(${unit})` });
      g.append(el("text", { class: "m-label", y: 4, "text-anchor": isLeft ? "end" : "start" }, words));
      svg.append(g);
    }
  }
}
customElements.define("u-map", Map_);
