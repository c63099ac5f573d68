// The charts: price, volatility, chances and states over one time, with one cursor.

import { byId } from "./dom.js";
import { columns, isFalse, stretches } from "./series.js";
import { clock, percent, price, times } from "./words.js";

/* global uPlot */
const SYNC = "course";
const HEIGHTS = { price: 170, volatility: 170, scores: 170, strip: 96 };
const LEVEL = { calm: 0.2, blind: 0.5, elevated: 0.6, spike: 1 };

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

const line = (label, name, more = {}) => ({ label, stroke: () => colour(name), width: 1.5, points: { show: false }, ...more });

const DRAWN = {
  price: [line("price", "ink")],
  ratio: [line("volatility over τ", "calm", { width: 2 })],
  scores: [
    line("chance of 1τ", "calm", { width: 2 }), line("chance of 2τ", "spike", { width: 2 }),
    line("θ of elevated", "elevated", { dash: [6, 4] }), line("θ of spike", "spike", { dash: [2, 3] }),
  ],
};

export class Charts {
  constructor(onCursor) {
    this.onCursor = onCursor;
    this.series = null;
    this.runs = [];
    this.all = [
      this.make("price", ["price"], DRAWN.price, { values: (_, found) => found.map(price) }),
      this.make("volatility", ["ratio"], DRAWN.ratio, { values: (_, found) => found.map((v) => `${v} τ`) }, [1, 2]),
      this.make("scores", ["score", "severe", "elevated", "spike"], DRAWN.scores, { values: (_, found) => found.map((v) => `${Math.round(100 * v)} %`) }),
      this.make("strip", ["level"], [line("state", "ink", { stroke: "transparent" })], { values: (_, found) => found.map(() => "") }),
    ];
    for (const each of this.all) this.follow(each);
  }

  make(id, names, series, axis, levels = []) {
    const box = byId(id);
    const axes = { stroke: () => colour("quiet"), grid: { stroke: () => colour("line"), width: 1 }, ticks: { stroke: () => colour("line") } };
    const plot = new uPlot({
      width: Math.max(200, box.clientWidth), height: HEIGHTS[id],
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
      padding: [8, 12, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: SYNC }, y: false, drag: { x: false, y: false } },
      scales: { x: { time: true, range: (_, least, most) => (least === null ? [0, 60] : [least, Math.max(most, least + 60)]) }, y: this.range(id, levels) },
      axes: [{ ...axes, space: 70, size: 34, values: (_, found) => found.map((seconds) => clock(seconds * 1e6).slice(0, 5)) }, { ...axes, size: 76, ...axis }],
      series: [{}, ...series],
      hooks: {
        drawClear: [(u) => this.drawHoles(u)],
        draw: [(u) => (id === "strip" ? this.drawStates(u) : drawLevels(u, levels))],
        setCursor: [(u) => this.onCursor(u.cursor.idx === null ? null : this.at(u.data[0][u.cursor.idx]))],
      },
    }, [[], ...names.map(() => [])], box);
    return { id, box, plot, names };
  }

  range(id, levels) {
    if (id === "strip") return { range: [0, 1.05] };
    if (id === "scores") return { range: (_, least, most) => [0, Math.max(0.4, (most ?? 0) * 1.1)] };
    if (levels.length) return { range: (_, least, most) => [0, Math.max(2.3, (most ?? 0) * 1.1)] };
    return { range: (_, least, most) => (least === null ? [0, 1] : uPlot.rangeNum(least, most, 0.1, false)) };
  }

  follow({ box, plot, id }) {
    new ResizeObserver(() => plot.setSize({ width: Math.max(200, box.clientWidth), height: HEIGHTS[id] })).observe(box);
    box.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
      if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.move(plot, step);
    });
  }

  // Moves the cursor of one chart, which the others follow.
  move(plot, step) {
    const times = plot.data[0];
    if (!times.length) return;
    const from = plot.cursor.idx ?? times.length - 1;
    const to = Math.min(times.length - 1, Math.max(0, from + step));
    plot.setCursor({ left: plot.valToPos(times[to], "x"), top: 10 });
  }

  show(series, runs) {
    this.series = series;
    this.runs = runs;
    const drawn = { ...series, level: series.mode.map((mode) => LEVEL[mode]) };
    for (const { plot, names } of this.all) {
      const at = plot.cursor.idx === null ? null : plot.data[0][plot.cursor.idx];
      plot.setData(columns(drawn, names));
      if (at !== null && at !== undefined && plot.cursor.left >= 0) plot.setCursor({ left: plot.valToPos(at, "x"), top: 10 }, false, false);
    }
  }

  redraw() {
    for (const { plot } of this.all) plot.redraw(false);
  }

  at(time) {
    const at = this.series ? this.series.time.indexOf(time) : -1;
    if (at < 0) return this.series && time ? "A hole: nothing is known of it." : null;
    const s = this.series;
    return `${clock(time * 1e6)}: ${price(s.price[at])}, volatility ${times(s.ratio[at])} τ, chance of 1τ ${percent(s.score[at])}, of 2τ ${percent(s.severe[at])}, ${s.mode[at]}`;
  }

  drawHoles(u) {
    for (const hole of this.series?.holes ?? []) {
      const [from, to] = [hole.from_us, hole.to_us].map((us) => u.valToPos(us / 1e6, "x", true));
      const box = clipped(u, from, to);
      if (box) hatch(u, box, u.series[1].label === "state" ? "" : hole.reason);
    }
  }

  drawStates(u) {
    const { ctx } = u;
    for (const stretch of this.series ? stretches(this.series) : []) {
      const box = clipped(u, u.valToPos(stretch.from, "x", true), u.valToPos(stretch.to, "x", true));
      if (!box) continue;
      const height = u.bbox.height * LEVEL[stretch.mode];
      const top = u.bbox.top + u.bbox.height - height;
      ctx.save();
      ctx.fillStyle = ctx.strokeStyle = colour(stretch.mode);
      ctx.lineWidth = 2 * uPlot.pxRatio;
      if (stretch.mode === "blind") hatch(u, box, "");
      else if (isFalse(stretch, this.runs)) ctx.strokeRect(box.from + 1, top + 1, Math.max(1, box.to - box.from - 2), height - 2);
      else ctx.fillRect(box.from, top, box.to - box.from, height);
      ctx.restore();
    }
  }
}

function clipped(u, from, to) {
  const [left, right] = [u.bbox.left, u.bbox.left + u.bbox.width];
  if (!(to > left && from < right)) return null;
  return { from: Math.max(left, from), to: Math.min(right, Math.max(to, from + 2)) };
}

function hatch(u, { from, to }, reason) {
  const { ctx, bbox } = u;
  const step = 8 * uPlot.pxRatio;
  ctx.save();
  ctx.setLineDash([]);
  ctx.beginPath();
  ctx.rect(from, bbox.top, to - from, bbox.height);
  ctx.clip();
  ctx.beginPath();
  for (let x = from - bbox.height; x < to; x += step) {
    ctx.moveTo(x, bbox.top + bbox.height);
    ctx.lineTo(x + bbox.height, bbox.top);
  }
  ctx.strokeStyle = colour("blind");
  ctx.lineWidth = uPlot.pxRatio;
  ctx.stroke();
  ctx.restore();
  if (!reason) return;
  ctx.save();
  ctx.font = `${12 * uPlot.pxRatio}px system-ui, sans-serif`;
  ctx.fillStyle = colour("ink");
  ctx.textAlign = from > bbox.left + bbox.width * 0.8 ? "right" : "left";
  ctx.fillText(reason, ctx.textAlign === "left" ? from + 3 : to - 3, bbox.top + 12 * uPlot.pxRatio);
  ctx.restore();
}

function drawLevels(u, levels) {
  const { ctx, bbox } = u;
  levels.forEach((level, at) => {
    const y = u.valToPos(level, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) return;
    ctx.save();
    ctx.beginPath();
    ctx.setLineDash([6 * uPlot.pxRatio, 3 * uPlot.pxRatio]);
    ctx.strokeStyle = colour(at === 0 ? "elevated" : "spike");
    ctx.lineWidth = 1.5 * uPlot.pxRatio;
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  });
}
