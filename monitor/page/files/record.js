// The track record and the last signals, as tables.

import { byId, make } from "./dom.js";
import { OUTCOMES } from "./runs.js";
import { dayAndClock, lasting, percent } from "./words.js";

export function showRuns(runs) {
  const rows = runs.slice(0, 50).map((run) => make("tr", {},
    make("td", {}, dayAndClock(run.start_us).slice(5)),
    make("td", {}, run.cause ? `${run.mode} (${run.cause})` : run.mode),
    make("td", {}, run.end_us === null ? "lasts" : lasting((run.end_us - run.start_us) / 1e6)),
    make("td", {}, run.lead === null ? "–" : `${run.lead} s`),
    make("td", {}, OUTCOMES[run.outcome] ?? run.outcome)));
  const none = make("tr", {}, make("td", { colSpan: 5 }, "none known yet"));
  byId("signals").replaceChildren(...(rows.length ? rows : [none]));
}

const known = (value, words) => (value === null || value === undefined ? "unknown yet" : words(value));

// Lines of one level: its figures, and those of the plain rule beside them.
export function linesOf(table, rule) {
  const lines = [
    ["covered days", known(table.covered_days, (d) => d.toFixed(2)), known(rule.covered_days, (d) => d.toFixed(2))],
    ["onsets", String(table.onsets), String(rule.onsets)],
    ["starts a day", against(table), known(rule.starts_a_day, (n) => n.toFixed(1))],
    ["right share", known(table.share_right, percent), known(rule.share_right, percent)],
    ["time in state", known(table.share_in_state, percent), known(rule.share_in_state, percent)],
  ];
  table.detected.forEach((found, at) => {
    if ([0, 10, 30].includes(found.lead)) lines.push([`met ${found.lead} s ahead (chance)`, beside(found), beside(rule.detected[at])]);
  });
  return lines;
}

const against = (table) => known(table.starts_a_day, (n) => `${n.toFixed(1)}${table.budget === null ? "" : ` of ${table.budget}`}`);
const beside = (found) => known(found?.share, (share) => `${percent(share)} (${known(found.chance, percent)})`);

export function showRecord(tables) {
  const made = tables.flatMap((table) => [["elevated", table.elevated, table.elevated_rule], ["spike", table.spike, table.spike_rule]]
    .map(([level, figures, rule]) => make("table", {},
      make("caption", {}, `${table.variant}, ${level}`),
      make("thead", {}, make("tr", {}, ...["", "states", "plain rule"].map((word) => (word ? make("th", { scope: "col" }, word) : make("td"))))),
      make("tbody", {}, ...linesOf(figures, rule).map(([head, ...cells]) =>
        make("tr", {}, make("th", { scope: "row" }, head), ...cells.map((text) => make("td", {}, text))))))));
  byId("record").replaceChildren(...(made.length ? made : [make("p", {}, "unknown yet")]));
}
