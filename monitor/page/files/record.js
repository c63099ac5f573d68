// The track record and the last signals, as tables.

import { byId, make } from "./dom.js";
import { OUTCOMES } from "./runs.js";
import { dayAndClock, lasting, percent } from "./words.js";

export function showRuns(runs) {
  const rows = runs.slice(0, 50).map((run) => make("tr", {},
    make("td", {}, dayAndClock(run.start_us).slice(5, 16)),
    make("td", {}, run.cause ? `${run.mode} (${run.cause})` : run.mode),
    make("td", {}, run.end_us === null ? "lasts" : lasting((run.end_us - run.start_us) / 1e6)),
    make("td", {}, run.lead === null ? "–" : `${run.lead} s`),
    make("td", {}, OUTCOMES[run.outcome] ?? run.outcome)));
  const none = make("tr", {}, make("td", { colSpan: 5 }, "none known yet"));
  byId("signals").replaceChildren(...(rows.length ? rows : [none]));
}

const known = (value, words) => (value === null || value === undefined ? "unknown yet" : words(value));
const EVENTS = { elevated: "score", spike: "severe" };
// The calibrated rule: what serves beside, or instead of, the model.
const RULE = "baseline";

// Lines of one level: its figures, and those of the plain rule beside them. `all` are the starts a
// day of all products together, where the figures are of several.
export function linesOf(table, rule, all = null, products = 1) {
  const lines = [
    ["covered days", known(table.covered_days, (d) => d.toFixed(2)), known(rule.covered_days, (d) => d.toFixed(2))],
    ["onsets", String(table.onsets), String(rule.onsets)],
    [all === null ? "starts a day" : "starts a day, of one product", against(table.starts_a_day, table.budget, table.starts_a_day_interval), against(rule.starts_a_day, null)],
    ["right share", known(table.share_right, percent), known(rule.share_right, percent)],
    ["time in state", known(table.share_in_state, percent), known(rule.share_in_state, percent)],
  ];
  if (all !== null) lines.splice(3, 0, ["starts a day, of all together", against(all, table.budget === null ? null : products * table.budget), ""]);
  table.detected.forEach((found, at) => {
    if ([0, 10, 30].includes(found.lead)) lines.push([`met ${found.lead} s ahead (chance)`, beside(found), beside(rule.detected[at])]);
  });
  return lines;
}

// The line of Brier scores: that of the variant, and that of the calibrated rule.
export function brierOf(chances, variant, level) {
  const [own, rule] = [variant, RULE].map((name) => chances.find((each) => each.variant === name && each.event === EVENTS[level])?.figures);
  const words = (figures) => (figures?.n ? `${figures.brier.toFixed(3)} (${figures.n} seconds)` : "unknown yet");
  return ["Brier", words(own), variant === RULE || !rule?.n ? "" : `${words(rule)}, calibrated`];
}

// Starts a day, the budget, and between what the rate lies with 90 %.
function against(starts, budget, interval = null) {
  const between = interval ? `, ${interval.map((n) => n.toFixed(1)).join(" to ")}` : "";
  return known(starts, (n) => `${n.toFixed(1)}${budget === null ? "" : ` of ${budget}`}${between}`);
}
const beside = (found) => known(found?.share, (share) => `${percent(share)} (${known(found.chance, percent)})`);

function tablesOf(table, chances, whose) {
  const of = table.products ?? [];
  return ["elevated", "spike"].map((level) => {
    const all = of.length ? table[`${level}_starts_a_day`] ?? null : null;
    const lines = [...linesOf(table[level], table[`${level}_rule`], all, of.length), brierOf(chances, table.variant, level)];
    return make("table", {},
      make("caption", {}, `${whose}: ${table.variant}, ${level}`),
      make("thead", {}, make("tr", {}, make("td"), ...["states", "plain rule"].map((word) => make("th", { scope: "col" }, word)))),
      make("tbody", {}, ...lines.map(([head, ...cells]) =>
        make("tr", {}, make("th", { scope: "row" }, head), ...cells.map((text) => make("td", {}, text))))));
  });
}

// Figures of the chosen product, and of all together where there are several.
export function showRecord(record) {
  const made = (record?.tables ?? []).flatMap((table) => tablesOf(table, record.chances, record.product_id));
  for (const table of record?.all_products.tables ?? []) {
    if (table.products.length > 1) made.push(...tablesOf(table, record.all_products.chances, `all ${table.products.length} products`));
  }
  byId("record").replaceChildren(...(made.length ? made : [make("p", {}, "unknown yet")]));
}
