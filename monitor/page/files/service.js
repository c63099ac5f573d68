// Feed and service: rates, stages beside their budgets, the gap ledger, models, drift.

import { byId, make, pairs, say } from "./dom.js";
import { dayAndClock, kindWord, lasting } from "./words.js";

const STAGES = {
  received_to_featurized: "receipt to row",
  featurized_to_scored: "row to score",
  scored_to_published: "score to topic",
  tick_to_prediction: "receipt to topic",
};
const KINDS = {
  connected: "connected", reconnected: "connected again", break: "hole", silent: "silent",
  halted: "halted", trading: "trades again",
};
const DRIFT = {
  too_few_rows: "too few rows yet", stale: "newest row older than the window", no_rows: "no rows",
  no_predictions: "rows without predictions", other_model: "another model scored these rows",
  no_reference: "the model brings no training rows of it", short_reference: "the model learned from too few seconds of it",
};

const UNREACHABLE = "cannot be reached: ";

const ms = (seconds) => `${(1e3 * seconds).toFixed(0)} ms`;

export function factsOf(mine, rates, health) {
  const own = rates?.[mine.product_id];
  const all = Object.values(rates ?? {});
  return [
    ["feed", `${kindWord(mine.kind)} (${mine.feed})`],
    ["rate", own === undefined ? "unknown yet" : `${own.toFixed(1)} rows a second, ${all.reduce((sum, each) => sum + each, 0).toFixed(1)} of all products`],
    ["receipt to row", ms((mine.featurized_us - mine.received_us) / 1e6)],
    ["row to score", ms((mine.scored_us - mine.featurized_us) / 1e6)],
    ["receipt to score", ms((mine.scored_us - mine.received_us) / 1e6)],
    ["model", `${mine.variant} ${mine.version}`],
    ["time of the exchange", dayAndClock(mine.time_us)],
    ["monitor", health ? [health.status, ...(health.warnings ?? [])].join(", ") : "unknown yet"],
  ];
}

// Stage, median, p95, budget, and a word that says which is more.
export const stageLines = (stages) => (stages ?? []).map((each) =>
  [STAGES[each.stage] ?? each.stage, ms(each.p50), ms(each.p95), ms(each.budget), each.p95 <= each.budget ? "within" : "OVER"]);

// When, of which product, what, and how much it was.
export function ledgerLine(line) {
  const long = line.from_us === null || line.to_us === null || line.from_us === undefined ? "" : `, ${lasting((line.to_us - line.from_us) / 1e6)}`;
  const missing = line.missing ? `, ${line.missing} trades missing` : "";
  return [dayAndClock(line.at_us), line.product_id ?? "all", `${KINDS[line.kind] ?? line.kind}${line.reason ? `: ${line.reason}` : ""}${long}${missing}`];
}

// In words that no connection can be made, "" where there is one or nothing is known.
export function feedTrouble(service) {
  const line = (service?.ledger ?? []).find((each) => !each.product_id);
  if (line?.kind !== "silent" || !line.reason?.startsWith(UNREACHABLE)) return "";
  return `The feed cannot be reached since ${dayAndClock(line.at_us)} (${line.reason.slice(UNREACHABLE.length)}); it is tried again and again.`;
}

export const promotionLine = (line) => (line.kind === "switched"
  ? [dayAndClock(line.at_us), line.variant, `chosen by ${line.by}`]
  : [dayAndClock(line.at_us), `${line.variant} ${line.version}`, `serves ${line.products.join(", ")}`]);

export function driftWords(drift, product) {
  const found = drift?.products?.find((each) => each.product === product);
  if (!found) return "unknown yet";
  if (found.state !== "compared") return `not compared: ${DRIFT[found.state] ?? found.state}`;
  const columns = Object.values(found.columns);
  return `${found.drifted ? "DRIFTED" : "not drifted"}: ${columns.filter((each) => each.drifted).length} of ${columns.length} columns, made ${drift.made}`;
}

function fill(id, lines, none) {
  const body = byId(id);
  const texts = JSON.stringify(lines);
  if (body.dataset.texts === texts) return;
  body.dataset.texts = texts;
  const rows = lines.map((cells) => make("tr", {}, ...cells.map((text) => make("td", {}, text))));
  const columns = body.parentElement.tHead.rows[0].cells.length;
  body.replaceChildren(...(rows.length ? rows : [make("tr", {}, make("td", { colSpan: columns }, none))]));
}

export function showFacts(mine, service, health) {
  pairs(byId("service"), factsOf(mine, service?.rates, health));
}

// What was asked for: the service's own answer, and the drift process's.
export function showOperations(service, drift, product) {
  fill("stages", stageLines(service?.stages), "unknown yet");
  fill("ledger", (service?.ledger ?? []).map(ledgerLine), "nothing known yet");
  fill("promotions", (service?.promotions ?? []).map(promotionLine), "nothing known yet");
  say(byId("drift-state"), driftWords(drift, product));
  byId("drift-report").setAttribute("href", `drift/${encodeURIComponent(product ?? "")}`);
  byId("drift-report").hidden = !drift?.products?.some((each) => each.product === product && each.state === "compared");
}

// Holes of the time shown, newest first.
export function showHoles(series) {
  const holes = [...series.holes].reverse().slice(0, 20).map((hole) =>
    `${dayAndClock(hole.from_us)}, ${lasting((hole.to_us - hole.from_us) / 1e6)}: ${hole.reason}`);
  const list = byId("holes");
  if (list.dataset.holes === holes.join()) return;
  list.dataset.holes = holes.join();
  list.replaceChildren(...(holes.length ? holes : ["none in the time shown"]).map((text) => make("li", {}, text)));
}
