"""The modules of the page, each by what it computes."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from monitor.page.assets import page_assets
from tests.featurizer.market import START
from tests.monitor.page.host import hosted
from tests.monitor.world import SECOND

Run = Callable[..., Any]
TESTED = {
    *(
        "words.js",
        "series.js",
        "stream.js",
        "runs.js",
        "products.js",
        "record.js",
        "theme.js",
        "faults.js",
        "service.js",
    ),
    *("dom.js", "charts.js", "main.js"),
}
"""The last three draw: they are tested through the page."""


@pytest.fixture(scope="module")
def run(browser: Browser) -> Iterator[Run]:
    """Evaluates an expression over what modules export, in the browser."""
    with hosted() as host:
        page = browser.new_page()
        page.goto(f"{host.address}page/words.js")

        def evaluated(module: str, expression: str, *values: Any) -> Any:
            given = ", ".join(json.dumps(value) for value in values)
            code = f"async () => {{ const m = await import('./{module}'); return {expression}; }}"
            return page.evaluate(code.replace("$", given))

        yield evaluated
        page.close()


def test_every_module_is_tested() -> None:
    """A new one needs a test, here or through the page."""
    found = {path for path in page_assets() if path.endswith(".js") and "/" not in path}
    assert found == TESTED


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("percent(0.094)", "9.4 %"),
        ("percent(0.53)", "53 %"),
        ("percent(null)", "unknown"),
        ("times(2.345)", "2.35 ×"),
        ("times(12.34)", "12.3 ×"),
        ("points(0.00163)", "16.3 bps"),
        ("price(49986.2)", "49,986.20"),
        ("price(0.00001234)", "0.00001234"),
        ("price(NaN)", "unknown"),
        ("lasting(59.9)", "59 s"),
        ("lasting(245)", "4 min 5 s"),
        ("lasting(7620)", "2 h 7 min"),
        ("lasting(-3)", "0 s"),
        ("ageWords(3.2, 15, 0)", "fresh: data 3 s old"),
        ("ageWords(3.2, 15, 2585.1)", "CATCHING UP: 43 min 5 s behind"),
        ("ageWords(16, 15, 2585.1)", "STALE: data 16 s old"),
        ("clock(1700000000000000)", "22:13:20"),
        ("dayAndClock(1700000000000000)", "2023-11-14 22:13:20"),
        ("kindWord('live')", "LIVE"),
        ("kindWord('else')", "UNKNOWN"),
        ("because('spike', 'fact')", "volatility is at 2τ already"),
        ("because('calm', '')", ""),
        ("because('blind', 'some_new_one')", "some_new_one"),
        ("stillWords('no_level', 20)", "at most 1 h 10 min still, if no hole comes"),
        ("stillWords('no_level', 5000)", ""),
        ("stillWords('warming', 20)", ""),
        ("titleOf('spike', 'BTC-USD', false)", "◆ spike · BTC-USD"),
        ("titleOf(undefined, undefined, true)", "Volatility: connecting"),
    ],
)
def test_words(run: Run, call: str, words: str) -> None:
    """Numbers are short and have their unit; what is not known says so."""
    assert run("words.js", f"m.{call}") == words


def test_a_ratio_needs_a_level(run: Run) -> None:
    """Without one, or without volatility, there is none."""
    assert run("words.js", "m.ratioOf({volatility: 0.003, tau: 0.001})") == pytest.approx(3)
    assert run("words.js", "m.ratioOf({volatility: 0.003, tau: null})") is None
    assert run("words.js", "m.ratioOf({volatility: null, tau: 0.001})") is None


def history(times: list[int], **more: Any) -> dict[str, Any]:
    """A history of calm points."""
    columns = {name: [0.5] * len(times) for name in ("price", "ratio", "score", "severe")}
    theta = {name: [0.3] * len(times) for name in ("elevated", "spike")}
    found = {"step": 1, "feed": "f", "time": times, "mode": ["calm"] * len(times), "holes": []}
    return {**found, **columns, **theta, **more}


def glance(second: float, **more: Any) -> dict[str, Any]:
    """What a frame says of one product."""
    found = {"time_us": second * 1e6, "feed": "f", "price": 7.0, "volatility": 1.0, "tau": 2.0}
    theta = {"elevated": 0.25, "spike": 0.3}
    said = {"score": 0.2, "severe": 0.1, "mode": "calm", "thresholds": theta}
    return {**found, **said, **more}


APPENDED = "((h, g, n) => m.append(m.seriesOf(h), g, n))($)"


def test_a_frame_goes_on_where_the_history_ends(run: Run) -> None:
    """In the same step the highest stands, as the monitor conflates."""
    new = run("series.js", APPENDED, history([10, 11]), glance(12.5), 900)
    assert (new["time"], new["ratio"], new["price"]) == ([10, 11, 12], [0.5] * 3, [0.5, 0.5, 7])
    same = run("series.js", APPENDED, history([10, 11]), glance(11.5, score=0.1, mode="spike"), 900)
    assert (same["time"], same["score"][-1], same["price"][-1]) == ([10, 11], 0.5, 7)
    assert same["mode"] == ["calm", "spike"]


def test_what_is_older_than_shown_goes(run: Run) -> None:
    """A span has a length; a row from before the end changes nothing."""
    long = run("series.js", APPENDED, history(list(range(100))), glance(100), 50)
    assert long["time"] == list(range(51, 101)) and len(long["mode"]) == 50
    old = run("series.js", APPENDED, history([10, 11]), glance(9), 900)
    assert old["time"] == [10, 11]


def test_another_feed_begins_anew(run: Run) -> None:
    """Its time is another."""
    other = run("series.js", APPENDED, history([10, 11]), glance(5, feed="g"), 900)
    assert (other["time"], other["feed"]) == ([5], "g")


def test_no_line_crosses_a_hole(run: Run) -> None:
    """In it stands a point without a value."""
    holes = [{"from_us": 11e6, "to_us": 31e6, "reason": "gap"}]
    found = history([10, 11, 31], holes=holes)
    columns = run("series.js", "m.columns($, ['price'])", found)
    assert columns == [[10, 11, 21, 31], [0.5, 0.5, None, 0.5]]


def test_stretches_are_of_one_mode(run: Run) -> None:
    """A hole ends one, though the mode is the same on both sides."""
    holes = [{"from_us": 12e6, "to_us": 30e6, "reason": "gap"}]
    modes = ["calm", "spike", "spike", "spike"]
    found = run("series.js", "m.stretches($)", history([10, 11, 12, 30], mode=modes, holes=holes))
    assert [(each["from"], each["to"], each["mode"]) for each in found] == [
        *((10, 11, "calm"), (11, 13, "spike"), (30, 31, "spike"))
    ]


def test_only_false_runs_are_outlined(run: Run) -> None:
    """Those whose verdict says so, of the same level and time."""
    stretch = {"from": 10, "to": 20, "mode": "spike"}
    run_of = {"mode": "spike", "start_us": 10e6, "end_us": 20e6, "outcome": "false"}
    call = "m.isFalse($)"
    assert run("series.js", call, stretch, [run_of]) is True
    assert run("series.js", call, stretch, [{**run_of, "outcome": "true"}]) is False
    assert run("series.js", call, stretch, [{**run_of, "mode": "elevated"}]) is False
    assert run("series.js", call, stretch, [{**run_of, "end_us": 9e6, "start_us": 1e6}]) is False


RUN = {"signal_id": "a", "level": 2, "start_us": 5, "end_us": None, "cause": "outlook"}
RECORDS = [
    {"event": {"kind": "verdict", "run": {**RUN, "end_us": 9}, "outcome": "true"}},
    {"event": {"kind": "onset", "signal_id": "a", "lead_seconds": 12}},
    {"event": {"kind": "change", "started": [RUN, {**RUN, "signal_id": "b", "level": 1}]}},
]


def test_runs_are_put_together_from_records(run: Run) -> None:
    """Start, end, verdict and the lead of the first onset that it met."""
    found = run("runs.js", "m.runsOf($)", RECORDS)
    assert [(r["mode"], r["outcome"], r["lead"], r["end_us"]) for r in found] == [
        *(("spike", "true", 12, 9), ("elevated", "open", None, None))
    ]


def test_csv_is_what_a_table_reads(run: Run) -> None:
    """With a head, empty where unknown, and quoted where it must be."""
    text = run("runs.js", "m.csvOf('B,T', m.runsOf($))", RECORDS)
    assert text.split("\r\n")[1:] == [
        *('"B,T",spike,5,9,outlook,12,true,a', '"B,T",elevated,5,,outlook,,open,b', "")
    ]


def test_rows_sort_with_the_unknown_last(run: Run) -> None:
    """Whichever way."""
    rows = [
        {"product_id": name, "score": score}
        for name, score in zip("abc", (None, 2, 1), strict=True)
    ]
    names = "m.sorted($).map((r) => r.product_id).join('')"
    assert run("products.js", names, rows, "score", False) == "cba"
    assert run("products.js", names, rows, "score", True) == "bca"
    assert run("products.js", names, rows, "product_id", True) == "cba"


def test_a_track_record_says_what_is_not_known(run: Run) -> None:
    """Each figure beside that of the plain rule, detection beside chance."""
    found = {"lead": 10, "share": 0.5, "chance": 0.25}
    table = {
        "covered_days": 2.0,
        "onsets": 3,
        "starts_a_day": 4.5,
        "starts_a_day_interval": [2.1, 8.44],
        "budget": 8,
        "share_right": None,
        "share_in_state": 0.2,
        "detected": [found],
    }
    lines = run("record.js", "m.linesOf($)", table, {**table, "budget": None})
    assert ["starts a day", "4.5 of 8, 2.1 to 8.4", "4.5"] in lines
    assert ["right share", "unknown yet", "unknown yet"] in lines
    assert lines[-1] == ["met 10 s ahead (chance)", "50 % (25 %)", "50 % (25 %)"]
    lines = run("record.js", "m.linesOf(...$)", [table, {**table, "budget": None}, 12.5, 3])
    assert ["starts a day, of one product", "4.5 of 8, 2.1 to 8.4", "4.5"] in lines
    assert ["starts a day, of all together", "12.5 of 24", ""] in lines


def test_a_brier_score_stands_beside_the_calibrated_rule_s(run: Run) -> None:
    """Of the level's own event, with the seconds that it is over."""
    figures = {"n": 20, "brier": 0.0471}
    chances = [
        {"variant": "ml", "event": "score", "figures": figures},
        {"variant": "baseline", "event": "score", "figures": {"n": 20, "brier": 0.0569}},
        {"variant": "ml", "event": "severe", "figures": {"n": 0, "brier": None}},
    ]
    line = run("record.js", "m.brierOf(...$)", [chances, "ml", "elevated"])
    assert line == ["Brier", "0.047 (20 seconds)", "0.057 (20 seconds), calibrated"]
    line = run("record.js", "m.brierOf(...$)", [chances, "ml", "spike"])
    assert line == ["Brier", "unknown yet", ""]
    line = run("record.js", "m.brierOf(...$)", [chances, "baseline", "elevated"])
    assert line == ["Brier", "0.057 (20 seconds)", ""]


def test_tries_are_ever_rarer_up_to_half_a_minute(run: Run) -> None:
    """A monitor that comes back is not overrun."""
    assert run("stream.js", "[0, 1, 3, 9].map(m.delayOf)") == [1_000, 2_000, 8_000, 30_000]


def test_a_stream_opens_once_and_comes_back_from_a_refusal(run: Run) -> None:
    """Names and data of events are passed on; a closed source is made anew."""
    code = """(() => {
        const made = [], told = [];
        class Source {
            on = {}; readyState = 1;
            addEventListener(name, f) { this.on[name] = f; }
            close() { this.readyState = 2; }
        }
        const source = () => made[made.push(new Source()) - 1];
        const stream = new m.Stream("x", (...found) => told.push(found), source);
        stream.open(); stream.open();
        made[0].on.beat({ data: "{\\"server_us\\": 3}" });
        made[0].readyState = 2; made[0].on.error();
        const tries = stream.tries;
        stream.open(); stream.close();
        return { made: made.length, told, tries, left: stream.source };
    })()"""
    found = run("stream.js", code)
    assert found == {"made": 2, "told": [["beat", {"server_us": 3}]], "tries": 1, "left": None}


def test_a_theme_is_the_chosen_one_or_the_system_s(run: Run) -> None:
    """A word that is none is as if none were chosen."""
    call = "[['auto', true], ['auto', false], ['light', true], ['dark', false], ['x', true]]"
    themes = run("theme.js", f"{call}.map((both) => m.themeOf(...both))")
    assert themes == ["dark", "light", "light", "dark", "dark"]


def test_faults_in_force_are_told_in_words(run: Run) -> None:
    """With the seconds left, or that there is none."""
    told = [{"kind": "mute", "left_seconds": 12.2}, {"kind": "slow", "left_seconds": 3}]
    said = run("faults.js", "m.standingWords($)", told)
    assert said == "mute, 13 s more; slow, 3 s more"
    assert run("faults.js", "m.standingWords([])") == "none in force"


def test_a_stage_stands_beside_its_budget_with_a_word(run: Run) -> None:
    """At the budget is within; none where nothing is known."""
    stage = {"stage": "featurized_to_scored", "p50": 0.004, "p95": 0.04, "budget": 0.04}
    lines = run("service.js", "m.stageLines($)", [stage, {**stage, "p95": 0.0415, "stage": "x"}])
    assert lines == [
        ["row to score", "4 ms", "40 ms", "40 ms", "within"],
        ["x", "4 ms", "42 ms", "40 ms", "OVER"],
    ]
    assert run("service.js", "m.stageLines(null)") == []


def test_a_line_of_the_ledger_says_what_and_how_much(run: Run) -> None:
    """Unknown kinds keep their name."""
    line = {"kind": "break", "at_us": START, "reason": "sequence", "product_id": "BTC-USD"}
    hole = {**line, "from_us": START, "to_us": START + 65 * SECOND, "missing": 4}
    words = "hole: sequence, 1 min 5 s, 4 trades missing"
    when = "2023-11-14 22:13:20"
    assert run("service.js", "m.ledgerLine($)", hole) == [when, "BTC-USD", words]
    feed = {"kind": "reconnected", "at_us": START, "reason": "closed", "product_id": None}
    feed |= {"from_us": None, "to_us": None, "missing": None}
    assert run("service.js", "m.ledgerLine($)", feed) == [when, "all", "connected again: closed"]
    assert run("service.js", "m.ledgerLine($)", {**feed, "kind": "new", "reason": None})[2] == "new"


def test_a_promotion_is_told_in_words(run: Run) -> None:
    """What served, and what was chosen by whom."""
    served = {"kind": "served", "at_us": START, "variant": "ml", "version": "a1", "by": None}
    served |= {"products": ["BTC-USD", "ETH-USD"]}
    switched = {**served, "kind": "switched", "variant": "baseline", "by": "ann", "version": None}
    lines = run("service.js", "$.map(m.promotionLine)", [served, switched])
    assert [line[1:] for line in lines] == [
        ["ml a1", "serves BTC-USD, ETH-USD"],
        ["baseline", "chosen by ann"],
    ]


def test_drift_is_told_in_words(run: Run) -> None:
    """Or why it is not known."""
    columns = {"a": {"drifted": True}, "b": {"drifted": False}}
    one = {"product": "A", "state": "compared", "drifted": False, "columns": columns}
    drift = {"made": "noon", "products": [one, {**one, "product": "B", "state": "no_rows"}]}
    said = run("service.js", "['A', 'B', 'C'].map((p) => m.driftWords($, p))", drift)
    assert said == [
        "not drifted: 1 of 2 columns, made noon",
        "not compared: no rows",
        "unknown yet",
    ]
    assert run("service.js", "m.driftWords(null, 'A')") == "unknown yet"
