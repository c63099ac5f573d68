// What the page is put together from: the stream, the chosen product, and what is asked for beside.

import { Charts } from "./charts.js";
import { byId, make, pairs, say } from "./dom.js";
import { showFaults } from "./faults.js";
import { Products, rowsOf } from "./products.js";
import { showRecord, showRuns } from "./record.js";
import { csvOf, runsOf } from "./runs.js";
import { feedTrouble, showFacts, showHoles, showOperations } from "./service.js";
import { append, emptySeries, seriesOf } from "./series.js";
import { SILENT_MS, Stream } from "./stream.js";
import { followTheme, keep, kept } from "./theme.js";
import { ageWords, because, clock, dayAndClock, kindWord, lasting, percent, points, price, ratioOf, statusWords, stillWords, times, titleOf } from "./words.js";

const AGAIN_MS = 10000;
const STALE_SECONDS = 15;
const FILL_MS = 3000;

const view = { frame: null, arrived: 0, asked: 0, behind: 0, chosen: kept("volatility-product"), span: 900, series: emptySeries(), runs: [], modes: {}, health: null, service: null, drift: null, paused: null };

const charts = new Charts((words) => say(byId("cursor"), words ?? "Arrow keys, Home and End move the cursor of a chart that has the focus."));
const products = new Products(choose);
const stream = new Stream("signals/stream", told);

// ------------------------------------------------------------ what comes
function told(name, found) {
  view.arrived = performance.now();
  if (name === "beat") return void (view.server = found.server_us);
  view.frame = found;
  view.server = found.server_us;
  if (!glance() && found.products.length) choose(found.products[0].product_id);
  else if (name === "snapshot") ask();
  announce(found.products);
  const mine = glance();
  if (mine) {
    append(view.series, mine, view.span);
    fill(mine);
  }
  show();
}

// Frames of a past that is caught up stand minutes apart: the history has what lies between.
function fill(mine) {
  const over = view.behind > 0 && mine.behind === 0;
  view.behind = mine.behind;
  if (over || (mine.behind > 0 && performance.now() - view.asked > FILL_MS)) ask();
}

function announce(found) {
  const changed = found.filter((each) => view.modes[each.product_id] && view.modes[each.product_id] !== each.mode);
  if (changed.length) {
    say(byId("announce"), changed.map((each) => `${each.product_id}: ${each.mode}`).join(", "));
    askSignals();
  }
  view.modes = Object.fromEntries(found.map((each) => [each.product_id, each.mode]));
}

const glance = () => view.frame?.products.find((each) => each.product_id === view.chosen) ?? null;
const ageOf = (each) => Math.max(0, (view.server - each.received_us) / 1e6 + (performance.now() - view.arrived) / 1e3);

function choose(product) {
  view.chosen = product;
  keep("volatility-product", product);
  Object.assign(view, { series: emptySeries(), runs: [] });
  ask();
  askRecord();
  show();
}

// ------------------------------------------------------------ what is asked for
async function get(path) {
  const answer = await fetch(path).catch(() => null);
  return answer?.ok ? answer.json() : null;
}

async function ask() {
  const [product, span, mine] = [view.chosen, view.span, glance()];
  if (!product || !mine) return;
  view.asked = performance.now();
  const step = Math.max(1, Math.ceil(span / 1200));
  const asked = `signals/history?product=${encodeURIComponent(product)}&from=${mine.time_us - span * 1e6}&step=${step}`;
  const history = await get(asked);
  if (history && product === view.chosen && span === view.span) view.series = seriesOf(history);
  await askSignals();
  show();
}

async function askService() {
  view.service = await get("service");
  showOperations(view.service, view.drift, view.chosen);
  show();
}

async function askSignals() {
  const product = view.chosen;
  const found = await get(`signals?product=${encodeURIComponent(product)}&limit=500`);
  if (product !== view.chosen) return;
  view.runs = found ? runsOf(found.signals) : [];
  showRuns(view.runs);
}

async function askRecord() {
  const product = view.chosen;
  const record = await get(`signals/record?product=${encodeURIComponent(product)}&days=7`);
  if (product === view.chosen) showRecord(record);
}

async function askRarely() {
  if (view.chosen && !document.hidden && !view.paused) {
    await askRecord();
    [view.health, view.drift] = [await get("health"), await get("drift.json")];
    showOperations(view.service, view.drift, view.chosen);
    if (view.health?.faults) showFaults(view.chosen);
  }
}

// ------------------------------------------------------------ what is shown
function trouble() {
  if (view.paused) return "";
  const silent = stream.silentMs;
  if (!view.frame) return silent > SILENT_MS ? "No word from the monitor yet." : "";
  if (silent > SILENT_MS) return `No word from the monitor for ${lasting(silent / 1e3)}. What stands here is old.`;
  const mine = glance();
  if (!mine) return feedTrouble(view.service);
  if (ageOf(mine) <= STALE_SECONDS) return "";
  return `No new data of ${mine.product_id} for ${lasting(ageOf(mine))}. What stands here is old. ${feedTrouble(view.service)}`.trim();
}

function show() {
  const [mine, words] = [glance(), trouble()];
  document.body.classList.toggle("stale", words !== "");
  byId("trouble").hidden = words === "";
  say(byId("trouble"), words);
  document.title = titleOf(mine?.mode, mine?.product_id, words !== "");
  byId("icon").setAttribute("href", `page/icon-${words ? "stale" : mine?.mode ?? "blind"}.svg`);
  if (!mine) return;
  products.show(rowsOf(view.frame.products, ageOf), view.chosen);
  showNow(mine);
  showFacts(mine, view.service, view.health);
  showHoles(view.series);
  if (!view.paused) charts.show(view.series, view.runs);
  if (byId("points-details").open) showPoints();
}

function showNow(mine) {
  say(byId("feed"), kindWord(mine.kind));
  byId("feed").dataset.kind = mine.kind;
  const age = ageOf(mine);
  say(byId("age"), view.paused ? `paused at ${clock(view.paused)}` : ageWords(age, STALE_SECONDS, mine.behind));
  byId("state").dataset.mode = mine.mode;
  say(byId("state").lastElementChild, mine.mode);
  const still = mine.mode === "blind" && mine.since_us ? stillWords(mine.detail, (mine.time_us - mine.since_us) / 1e6) : "";
  say(byId("since"), [sinceWords(mine), because(mine.mode, mine.detail), still].filter(Boolean).join("; "));
  pairs(byId("figures"), [
    ["volatility", `${times(ratioOf(mine))} day level (${points(mine.volatility)} a minute)`],
    ["chance of ≥ 1τ", `${percent(mine.score)} in the next 60 s`],
    ["chance of ≥ 2τ", `${percent(mine.severe)} in the next 60 s`],
    ["last day, ≥ 1τ", saidAndCame(mine.last_day.score)],
    ["last day, ≥ 2τ", saidAndCame(mine.last_day.severe)],
    ["level τ", `${points(mine.tau)}, ${statusWords(mine.tau_status)}`],
    ["price", price(mine.price)],
    ["notes", mine.notes.join(", ") || "none"],
  ]);
}

function sinceWords(mine) {
  if (mine.detail === "silent") return `last row of ${dayAndClock(mine.time_us)}`;
  return mine.since_us ? `since ${dayAndClock(mine.since_us)}, for ${lasting((mine.time_us - mine.since_us) / 1e6)}` : "";
}

const saidAndCame = (chance) => (chance?.rows ? `said ${percent(chance.said)}, came ${percent(chance.came)} (${chance.rows} seconds), Brier ${chance.brier.toFixed(3)}` : "unknown yet");

function showPoints() {
  const s = view.series;
  const rows = s.time.map((time, at) => [clock(time * 1e6), price(s.price[at]), times(s.ratio[at]), percent(s.score[at]), percent(s.severe[at]), s.mode[at]]);
  byId("points").replaceChildren(...rows.reverse().slice(0, 120).map((cells) => make("tr", {}, ...cells.map((text) => make("td", {}, text)))));
}

// ------------------------------------------------------------ what a person does
function pause(stop) {
  view.paused = stop ? view.server ?? Date.now() * 1e3 : null;
  byId("pause").setAttribute("aria-pressed", String(stop));
  if (stop) stream.close();
  else stream.open();
  show();
}

byId("pause").addEventListener("click", () => pause(!view.paused));
byId("points-details").addEventListener("toggle", show);
byId("keys").checked = kept("volatility-keys") !== "off";
byId("keys").addEventListener("change", (event) => keep("volatility-keys", event.target.checked ? "on" : "off"));
for (const radio of document.querySelectorAll("input[name=span]")) {
  radio.addEventListener("change", () => {
    view.span = Number(radio.value);
    ask();
  });
}
byId("csv").addEventListener("click", (event) => {
  const address = URL.createObjectURL(new Blob([csvOf(view.chosen, view.runs)], { type: "text/csv" }));
  event.currentTarget.href = address;
  setTimeout(() => URL.revokeObjectURL(address), 1000);
});
document.addEventListener("keydown", (event) => {
  if (!byId("keys").checked || event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input, select")) return;
  const chosen = view.frame?.products[Number(event.key) - 1];
  if (event.key.toLowerCase() === "p") pause(!view.paused);
  else if (chosen) choose(chosen.product_id);
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stream.close();
  else if (!view.paused) stream.open();
});

followTheme(byId("theme"), () => charts.redraw());
if (!document.hidden) stream.open();
setInterval(() => {
  if (document.hidden || view.paused) return;
  stream.look();
  if (stream.silentMs > 1500) show();
}, 1000);
setInterval(() => {
  if (document.hidden || view.paused) return;
  ask();
  askService();
}, AGAIN_MS);
setTimeout(askService, 500);
setInterval(askRarely, 6 * AGAIN_MS);
setTimeout(askRarely, 2000);
