"""The contract of ``POST /predict``."""

import json
import threading

import pytest

from featurizer.features import FEATURES_DIGEST, NAMES, REQUIRED
from serving.control import KEY, Control, encode
from serving.tensor import rows_of
from tests.serving.fake_v2 import relative
from tests.waiting import eventually

NO_JSON = ["", "{", "nul", "[1", '{"rows":[{"a":NaN}]}', "\ufeff{}", '{"rows": [' + "[" * 5000]


def test_scores_come_in_the_order_of_the_rows(adapter, row):
    """Each score stands at its row's place, as the model gave it, with variant and version."""
    front = adapter()
    rows = [row | {"realized_volatility_60s": v} for v in (0.003, 0.0001, 0.001)]
    answer = front.predict(*rows)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["scores", "model_variant", "version", "ts"]
    assert body["scores"][0] > body["scores"][2] == 0.5 > body["scores"][1]
    assert (body["model_variant"], body["version"]) == ("ml", "a" * 12)
    assert body["ts"] == "2025-11-22T12:00:00.000001Z"


def test_order_of_features_in_a_row_does_not_matter(adapter, row):
    """The same features named the other way round score the same bits."""
    front = adapter()
    turned = dict(reversed(row.items()))
    assert front.predict(row).json()["scores"] == front.predict(turned).json()["scores"]


def test_null_means_unknown_for_every_feature(adapter, row, v2):
    """An explicit null is taken for each feature and travels to the model as null."""
    v2.parameters = {"features_digest": FEATURES_DIGEST}
    front = adapter()
    assert front.predict(dict.fromkeys(row)).status_code == 200
    assert json.loads(v2.requests[-1][2])["inputs"][0]["data"] == [None] * len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_what_came_later_may_be_absent(adapter, row, v2, name):
    """A client of the first release names its features; any later one may be absent, or null."""
    v2.parameters = {"features_digest": FEATURES_DIGEST}
    front = adapter()
    absent = {n: value for n, value in row.items() if n != name}
    answer = front.predict(row, absent)
    if name in REQUIRED:
        [problem] = answer.json()["problems"]
        assert (problem["row"], problem["field"]) == (1, name)
        return
    [tensor] = json.loads(v2.requests[-1][2])["inputs"]
    sent = [list(each)[: len(NAMES)] for each in rows_of(**tensor)]
    assert sent == [list(row.values()), [x if n != name else None for n, x in row.items()]]
    twice = json.dumps({"rows": [row | {name: 1.5}]}).replace(f'"{name}"', f'"{name}": 2, "{name}"')
    assert front.client.post("/predict", content=twice).status_code == 422


def test_the_first_release_is_enough(adapter, row):
    """Its names alone score as they do with all others unknown."""
    front = adapter()
    old = {name: row[name] for name in REQUIRED}
    unknown = dict.fromkeys(row) | old
    assert front.predict(old).json()["scores"] == front.predict(unknown).json()["scores"]


def test_integers_are_numbers(adapter, row, v2):
    """An integer is taken as the number it is."""
    front = adapter()
    assert front.predict(row | {"trade_intensity_60s": 5}).status_code == 200
    assert json.loads(v2.requests[-1][2])["inputs"][0]["data"][3] == 5.0


def test_floats_reach_the_model_with_their_bits(adapter, row, v2):
    """What is sent is what the model reads, to the last bit."""
    front = adapter()
    value = 0.1 + 0.2
    front.predict(row | {"log_return_60s": value})
    assert json.loads(v2.requests[-1][2])["inputs"][0]["data"][1] == value


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"log_return_60s": ...}, "log_return_60s", "missing"),
        ({"price": 1.0}, "price", "unknown feature"),
        ({"log_return_60s": True}, "log_return_60s", "found true"),
        ({"log_return_60s": "0.1"}, "log_return_60s", 'found "0.1"'),
        ({"log_return_60s": [0.1]}, "log_return_60s", "found a list"),
        ({"log_return_60s": {}}, "log_return_60s", "found an object"),
    ],
)
def test_a_wrong_field_is_named(adapter, row, change, field, says):
    """A missing, unknown or non-numeric feature is a 422 that names row and field."""
    front = adapter()
    wrong = {k: v for k, v in (row | change).items() if v is not ...}
    answer = front.predict(row, wrong)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    [problem] = answer.json()["problems"]
    assert (problem["row"], problem["field"]) == (1, field)
    assert says in problem["problem"]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 400])
def test_a_number_that_is_not_finite_is_named(adapter, row, text):
    """NaN, infinities and numbers out of range are a 422 with row and field."""
    front = adapter()
    body = json.dumps({"rows": [row | {"log_return_60s": 17.5}]}).replace("17.5", text)
    answer = front.client.post("/predict", content=body)
    assert answer.status_code == 422
    [problem] = answer.json()["problems"]
    assert (problem["row"], problem["field"]) == (0, "log_return_60s")


@pytest.mark.parametrize(
    ("body", "row_index", "field"),
    [
        ({}, None, "rows"),
        ({"rows": []}, None, "rows"),
        ({"rows": {}}, None, "rows"),
        ({"rows": None}, None, "rows"),
        ({"rows": [1]}, 0, None),
        ([], None, None),
        (5, None, None),
        ("rows", None, None),
    ],
)
def test_a_wrong_shape_is_named(adapter, body, row_index, field):
    """What is no list of rows is a 422 that says what was found."""
    answer = adapter().client.post("/predict", json=body)
    assert answer.status_code == 422
    [problem] = answer.json()["problems"]
    assert (problem["row"], problem["field"]) == (row_index, field)


def test_an_unknown_field_beside_rows_is_named(adapter, row):
    """Nothing but rows is taken, so that a misspelt option is not silently ignored."""
    answer = adapter().client.post("/predict", json={"rows": [row], "variant": "ml"})
    assert answer.status_code == 422
    assert answer.json()["problems"] == [
        {"row": None, "field": "variant", "problem": "unknown, expected only rows"}
    ]


@pytest.mark.parametrize("body", NO_JSON)
def test_what_is_no_json_is_a_422(adapter, body):
    """A body that is no JSON is refused with the reason, however deep or odd it is."""
    answer = adapter().client.post("/predict", content=body.encode())
    assert answer.status_code == 422
    assert answer.json()["problems"]


def test_bytes_that_are_no_utf8_are_a_422(adapter):
    """A body that is no UTF-8 is refused, not an error of ours."""
    assert adapter().client.post("/predict", content=b'{"rows":["\xff"]}').status_code == 422


def test_a_feature_named_twice_is_refused(adapter, row):
    """Two values for one feature: neither can be believed."""
    text = json.dumps({"rows": [row]}).replace("{", "{", 1)
    twice = text.replace('"log_return_60s"', '"log_return_60s": 1.0, "log_return_60s"')
    answer = adapter().client.post("/predict", content=twice)
    assert answer.status_code == 422
    assert answer.json()["problems"] == [
        {"row": 0, "field": "log_return_60s", "problem": "given twice"}
    ]


def test_rows_named_twice_are_refused(adapter, row):
    """Two lists of rows: neither can be believed."""
    text = f'{{"rows": [{json.dumps(row)}], "rows": [{json.dumps(row)}]}}'
    answer = adapter().client.post("/predict", content=text)
    assert answer.status_code == 422
    assert {"row": None, "field": "rows", "problem": "given twice"} in answer.json()["problems"]


def test_an_escaped_name_is_the_same_name(adapter, row):
    """JSON may escape a letter of a name; that changes nothing."""
    text = json.dumps({"rows": [row]}).replace('"rows"', '"\\u0072ows"')
    assert adapter().client.post("/predict", content=text).status_code == 200


def test_all_problems_are_counted_and_the_first_are_listed(adapter):
    """A batch that is wrong in 2,400 places lists the first 50 and says how many there are."""
    answer = adapter().predict(*[{}] * 200)
    assert answer.status_code == 422
    assert len(answer.json()["problems"]) == 50
    assert answer.json()["detail"].startswith("2400 things are wrong")


def test_a_thousand_rows_are_taken_and_one_more_is_not(adapter, row):
    """1,000 rows are scored; 1,001 are a 413, right or wrong."""
    front = adapter()
    assert len(front.predict(*[row] * 1000).json()["scores"]) == 1000
    for rows in ([row] * 1001, [{}] * 1001):
        answer = front.predict(*rows)
        assert answer.status_code == 413
        assert "1001" in answer.json()["detail"]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_one_mebibyte_is_a_413(adapter, chunked):
    """Too many bytes are refused, with or without a Content-Length."""
    body = b" " * (1 << 20) + b"{}"
    content = iter([body[:600_000], body[600_000:]]) if chunked else body
    answer = adapter().client.post("/predict", content=content)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "parameters",
    [{"features_digest": "0" * 64}, {"model_variant": "baseline"}, {"tau": "[]"}, {"version": 1}],
)
def test_an_answer_of_the_model_that_does_not_fit_is_never_given_on(adapter, row, v2, parameters):
    """Other feature definitions, another variant or strange parameters: 503, no wrong score."""
    v2.parameters = parameters
    front = adapter()
    assert front.predict(row).status_code == 503
    labels = {"variant": "ml", "kind": "bad_response"}
    assert front.sample("adapter_model_errors_total", **labels) == 1


@pytest.mark.parametrize("scores", [[0.5, 0.5], [1.5], [-0.1]])
def test_scores_that_cannot_be_are_never_given_on(adapter, row, v2, scores):
    """A score too many or outside [0, 1] is an error."""
    v2.scores = scores
    assert adapter().predict(row).status_code == 503


def test_switching_under_load_fails_no_request(adapter, row):
    """Requests in several threads while the variant changes a hundred times: all are 200."""
    front = adapter(rate_limit="1000000/minute")
    statuses, variants, over = set(), set(), threading.Event()

    def ask() -> None:
        while not over.is_set():
            answer = front.predict(row)
            statuses.add(answer.status_code)
            variants.add((answer.json()["model_variant"], answer.json()["version"]))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(100):
        variant = "ml" if turn % 2 else "baseline"
        front.serving.take(KEY, encode(Control(variant=variant, changed_by="ann", changed_us=5)))
        threads[0].join(0.005)
    eventually(lambda: bool(statuses))
    over.set()
    for thread in threads:
        thread.join()
    assert statuses == {200}
    assert variants <= {("ml", "a" * 12), ("baseline", "b" * 12)}


def test_bodies_on_their_way_are_bounded_together(adapter, row):
    """Beyond the bound a request is a 503 to be sent again; the next smaller one is answered."""
    front = adapter(max_bytes_in_flight=2_000)
    answer = front.client.post("/predict", content=b" " * 4_000)
    assert answer.status_code == 503 and answer.headers["retry-after"]
    assert "2000 bytes of requests" in answer.json()["detail"]
    assert front.predict(row).status_code == 200


def test_a_row_may_name_its_level(adapter, row, v2):
    """A model in units of τ says both chances; the header names what a null τ stood for."""
    v2.models["ml"] = relative()
    front = adapter()
    own = front.predict(row | {"tau": 0.0009})
    assert "x-default-tau" not in own.headers
    assert 0 < own.json()["severe"][0] <= own.json()["scores"][0]
    default = front.predict(row | {"tau": None}, row, row | {"tau": 0.0006})
    assert default.headers["x-default-tau"] == "0.0006"
    assert len(set(default.json()["scores"])) == 1


@pytest.mark.parametrize("tau", ["0", "-0.1", "1e999", "NaN", '"1"'])
def test_a_level_that_is_none_is_named(adapter, row, tau):
    """It is finite and above 0, or null."""
    body = json.dumps({"rows": [row | {"tau": 17.5}]}).replace("17.5", tau)
    answer = adapter().client.post("/predict", content=body)
    assert answer.status_code == 422
    assert answer.json()["problems"][0]["field"] == "tau"
