// Points of the charts: the history, what comes after it, and its holes; all pure.

const COLUMNS = ["price", "ratio", "score", "severe", "elevated", "spike", "mode"];
const RANK = { calm: 0, blind: 1, elevated: 2, spike: 3 };

export function emptySeries() {
  return { step: 1, feed: null, time: [], holes: [], ...Object.fromEntries(COLUMNS.map((name) => [name, []])) };
}

export function seriesOf(history) {
  const copied = Object.fromEntries(COLUMNS.map((name) => [name, [...history[name]]]));
  return { step: history.step, feed: history.feed, time: [...history.time], holes: [...history.holes], ...copied };
}

// Adds what a frame shows; in a step that has a point already, the highest stands, as in the history.
export function append(series, glance, span) {
  const last = series.time.length - 1;
  const at = Math.floor(glance.time_us / 1e6 / series.step) * series.step;
  if (series.feed !== glance.feed) return Object.assign(series, emptySeries(), { feed: glance.feed, step: series.step }), append(series, glance, span);
  const point = pointOf(glance);
  if (last >= 0 && at < series.time[last]) return series;
  if (last >= 0 && at === series.time[last]) {
    for (const name of ["ratio", "score", "severe"]) series[name][last] = higher(series[name][last], point[name]);
    for (const name of ["price", "elevated", "spike"]) series[name][last] = point[name];
    if (RANK[point.mode] > RANK[series.mode[last]]) series.mode[last] = point.mode;
  } else {
    series.time.push(at);
    for (const name of COLUMNS) series[name].push(point[name]);
  }
  return trimmed(series, span);
}

function trimmed(series, span) {
  const first = series.time.findIndex((time) => time > series.time.at(-1) - span);
  if (first > 0) for (const name of ["time", ...COLUMNS]) series[name].splice(0, first);
  return series;
}

function pointOf(glance) {
  return {
    price: glance.price,
    ratio: glance.volatility !== null && glance.tau ? glance.volatility / glance.tau : null,
    score: glance.score,
    severe: glance.severe,
    elevated: glance.thresholds?.elevated ?? null,
    spike: glance.thresholds?.spike ?? null,
    mode: glance.mode,
  };
}

function higher(one, other) {
  if (one === null || other === null) return one ?? other;
  return Math.max(one, other);
}

// Columns for a chart; in each hole stands a point without values, so that no line crosses it.
export function columns(series, names) {
  const rows = series.time.map((time, at) => [time, ...names.map((name) => series[name][at])]);
  for (const hole of series.holes) rows.push([middle(hole), ...names.map(() => null)]);
  rows.sort((one, other) => one[0] - other[0]);
  return ["time", ...names].map((_, column) => rows.map((row) => row[column]));
}

export const middle = (hole) => (hole.from_us + hole.to_us) / 2e6;

// Stretches of one mode, in seconds; a hole ends one.
export function stretches(series) {
  const found = [];
  const ends = series.holes.map(middle);
  series.time.forEach((time, at) => {
    const last = found.at(-1);
    const cut = last && ends.some((end) => end > series.time[at - 1] && end < time);
    if (last && !cut && last.mode === series.mode[at]) last.to = time + series.step;
    else {
      if (last && !cut) last.to = time;
      found.push({ from: time, to: time + series.step, mode: series.mode[at] });
    }
  });
  return found;
}

// Says of a stretch whether the run that it belongs to came to nothing.
export function isFalse(stretch, runs) {
  return runs.some((run) => run.outcome === "false" && run.mode === stretch.mode
    && run.start_us / 1e6 < stretch.to && (run.end_us ?? Infinity) / 1e6 > stretch.from);
}
