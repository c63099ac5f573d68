// Runs of elevated and spike out of the records of the states; all pure.

export const OUTCOMES = { true: "true", false: "false", already_there: "already there", cut: "cut: blind", open: "open" };

// Newest first; records come newest first, as the monitor answers.
export function runsOf(records) {
  const runs = new Map();
  const leads = new Map();
  for (const { event } of [...records].reverse()) {
    if (event.kind === "change") for (const run of event.started) keep(runs, run, "open");
    if (event.kind === "end") keep(runs, event.run, runs.get(event.run.signal_id)?.outcome ?? "open");
    if (event.kind === "verdict") keep(runs, event.run, event.outcome);
    if (event.kind === "onset" && event.signal_id && !leads.has(event.signal_id)) leads.set(event.signal_id, event.lead_seconds);
  }
  const found = [...runs.values()].map((run) => ({ ...run, lead: leads.get(run.signal_id) ?? null }));
  return found.sort((one, other) => other.start_us - one.start_us || other.level - one.level);
}

function keep(runs, run, outcome) {
  runs.set(run.signal_id, { ...run, mode: run.level === 2 ? "spike" : "elevated", outcome });
}

export function csvOf(product, runs) {
  const head = "product,level,start_us,end_us,cause,lead_seconds,outcome,signal_id";
  const lines = runs.map((run) =>
    [product, run.mode, run.start_us, run.end_us, run.cause, run.lead, run.outcome, run.signal_id].map(cell).join(","));
  return [head, ...lines, ""].join("\r\n");
}

function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
