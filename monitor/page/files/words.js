// Words and numbers as the page has them; all pure.

export const MODES = ["spike", "elevated", "calm", "blind"];
export const SIGNS = { spike: "◆", elevated: "▲", calm: "○", blind: "✕" };

const REASONS = {
  start: "the monitor has seen no second of it yet",
  unknown: "no state is known of it",
  silent: "no new data for over 15 s",
  gap: "more than 10 s without a row",
  break: "the feed broke; it sees again with the next row",
  no_level: "it has no level τ yet: one hour of its own data makes one",
  thin: "over a fifth of its last day stood still, so that no level can be told",
  warming: "fewer than 20 returns in the last minute: a third of a minute of data is needed",
  old_model: "the model that serves is not in units of τ",
  no_threshold: "the model has no threshold for the budget in use",
  unscored: "it was not scored",
};
const CAUSES = { fact: "volatility is at 2τ already", outlook: "foreseen: volatility is below 2τ still" };
const STATUSES = {
  established: "established: from 8 h or more of the last day",
  provisional: "provisional: from less than 8 h",
  seeded: "seeded: somebody else's figure, nobody is alerted on it",
};
const KINDS = { live: "LIVE", replay: "REPLAY", generated: "GENERATED" };

export const kindWord = (kind) => KINDS[kind] ?? "UNKNOWN";
export const statusWords = (status) => STATUSES[status] ?? "none";

// Why a product is in its state, "" where the word says it all.
export function because(mode, detail) {
  if (mode === "blind") return REASONS[detail] ?? detail;
  return mode === "spike" ? CAUSES[detail] ?? "" : "";
}

export const percent = (share) => (isNumber(share) ? `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %` : "unknown");
export const times = (ratio) => (isNumber(ratio) ? `${ratio.toFixed(ratio < 10 ? 2 : 1)} ×` : "unknown");
export const points = (logReturn) => (isNumber(logReturn) ? `${(1e4 * logReturn).toFixed(1)} bps` : "unknown");

export function price(value) {
  if (!isNumber(value)) return "unknown";
  const digits = value >= 100 ? 2 : value >= 1 ? 4 : 8;
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

// "3 s", "4 min 5 s", "2 h 7 min"
export function lasting(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

// Where the data stand in time: how old they are, or how much of a past is still to be caught up.
export function ageWords(age, limit, behind) {
  if (age > limit) return `STALE: data ${lasting(age)} old`;
  return behind ? `CATCHING UP: ${lasting(behind)} behind` : `fresh: data ${lasting(age)} old`;
}

export const clock = (us) => (isNumber(us) ? new Date(us / 1e3).toISOString().slice(11, 19) : "unknown");
export const dayAndClock = (us) => (isNumber(us) ? new Date(us / 1e3).toISOString().slice(0, 19).replace("T", " ") : "unknown");

export function ratioOf(glance) {
  return isNumber(glance.volatility) && glance.tau ? glance.volatility / glance.tau : null;
}

// At most so long is a product without a level: an hour of its seconds, in bins of ten minutes
// that are closed, the first of them after 20 returns.
const LEVEL_SECONDS = 3600 + 600 + 20;

// How long blindness lasts still, "" where nobody can say.
export function stillWords(detail, seconds) {
  if (detail !== "no_level" || seconds >= LEVEL_SECONDS) return "";
  return `at most ${lasting(LEVEL_SECONDS - seconds)} still, if no hole comes`;
}

// What stands in the tab: the state first.
export function titleOf(mode, product, stale) {
  if (!product) return "Volatility: connecting";
  return stale ? `? stale · ${product}` : `${SIGNS[mode]} ${mode} · ${product}`;
}

function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}
