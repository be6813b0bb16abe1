// Charts, drawn by ECharts where it is installed; the same numbers stand in a table or in words beside each.
import { format, zoneOf } from "./times.js";

// A colour of the style sheet as the present theme has it: what a property says of itself is both of them.
const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);
const token = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
const FATES = { approved: ["approved", "chart-calm"], unanswered: ["ignored", "unanswered"], denied: ["denied", "denied"], reported: ["reported", "reported"], other: ["other", "ordinary"] };

const look = () => ({
  animation: false,
  textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: token("soft"), fontSize: 12 },
  grid: { left: 44, right: 12, top: 34, bottom: 24 },
  tooltip: { trigger: "axis", renderMode: "richText", axisPointer: { type: "line", lineStyle: { color: token("soft"), type: "dotted" } }, backgroundColor: token("raised"), borderColor: token("line"), textStyle: { color: token("ink"), fontSize: 12 }, confine: true },
  legend: { top: 0, left: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, itemGap: 18, textStyle: { color: token("soft") }, inactiveColor: token("line") },
});
const values = { type: "value", splitLine: { lineStyle: { color: token("faint") } }, axisLabel: { color: token("soft") }, minInterval: 1 };
const axes = (x) => ({ xAxis: { axisTick: { show: false }, axisLine: { lineStyle: { color: token("line") } }, axisLabel: { color: token("soft"), hideOverlap: true }, ...x }, yAxis: { ...values, splitLine: { lineStyle: { color: token("faint") } }, axisLabel: { color: token("soft") } } });

const bars = (name, tone, data) => ({ name, type: "bar", stack: "prompts", data, itemStyle: { color: token(tone) }, barCategoryGap: "18%", large: data.length > 2000, emphasis: { disabled: true } });

const KINDS = {
  course({ hours, fates, usual }) {
    const zone = zoneOf(), day = (t) => format(t, zone, { weekday: "short", day: "numeric", month: "short" });
    return {
      ...look(),
      ...axes({ type: "category", data: hours, axisLabel: { color: token("soft"), interval: (_, t) => format(Number(t), zone, { hour: "2-digit" }) === "00", formatter: (t) => day(Number(t)) }, axisTick: { show: false }, axisLine: { lineStyle: { color: token("line") } } }),
      tooltip: { ...look().tooltip, formatter: (rows) => [`${day(Number(rows[0].axisValue))} ${format(Number(rows[0].axisValue), zone, { hour: "2-digit", minute: "2-digit" })}`, ...rows.filter((row) => row.value).map((row) => `${row.seriesName}: ${row.value}`)].join("\n") },
      series: [...Object.entries(FATES).filter(([fate]) => fates[fate]?.some(Boolean)).map(([fate, [name, tone]]) => bars(name, tone, fates[fate])), { name: "usual at most", type: "line", step: "middle", symbol: "none", data: usual, lineStyle: { color: token("usual"), width: 1.4, type: [4, 3] }, itemStyle: { color: token("usual") }, emphasis: { disabled: true } }],
    };
  },
  days({ days, fates, incidents }) {
    return {
      ...look(), ...axes({ type: "category", data: days.map((one) => format(Date.parse(`${one}T12:00:00Z`), "UTC", { day: "numeric", month: "short" })) }),
      series: [...Object.entries(FATES).filter(([fate]) => fates[fate]?.some(Boolean)).map(([fate, [name, tone]]) => bars(name, tone, fates[fate])),
        { name: "risk of an incident", type: "scatter", yAxisIndex: 1, symbol: "diamond", symbolSize: 13, data: incidents, itemStyle: { color: token("critical"), borderColor: token("card"), borderWidth: 1 } }],
      yAxis: [{ ...values, name: "", splitLine: { lineStyle: { color: token("faint") } }, axisLabel: { color: token("soft") } }, { type: "value", min: 0, max: 100, splitLine: { show: false }, axisLabel: { color: token("soft") } }],
      grid: { left: 44, right: 40, top: 34, bottom: 24 },
    };
  },
  columns({ labels, series }) {
    // What has a colour of its own everywhere else has it here.
    const own = { refused: "denied", denied: "denied", ignored: "unanswered", unanswered: "unanswered", approved: "approved" }, rest = ["usual", "chart-calm", "policy", "blocked"];
    const toneOf = (one, i) => own[one.name] ?? rest[i % rest.length];
    return { ...look(), ...axes({ type: "category", data: labels }), series: series.map((one, i) => ({ name: one.name, type: "bar", data: one.data, itemStyle: { color: token(toneOf(one, i)) }, barMaxWidth: 26, emphasis: { disabled: true } })) };
  },
};

class Chart extends HTMLElement {
  connectedCallback() {
    if (!globalThis.echarts) { if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => this.connectedCallback(), { once: true }); else this.hidden = true; return; }
    try { this.data ??= JSON.parse(this.querySelector("script").textContent); } catch { return; }
    this.chart ??= globalThis.echarts.init(this, null, { renderer: "canvas" });
    this.show();
    this.watch ??= new ResizeObserver(() => this.chart.resize());
    this.watch.observe(this);
    for (const name of ["theme", "zone"]) document.addEventListener(name, this);
  }
  disconnectedCallback() { this.watch?.disconnect(); for (const name of ["theme", "zone"]) document.removeEventListener(name, this); this.chart?.dispose(); this.chart = undefined; }
  handleEvent() { this.show(); }
  show() { this.chart.setOption(KINDS[this.dataset.kind](this.data), true); }
}
customElements.define("u-chart", Chart);
