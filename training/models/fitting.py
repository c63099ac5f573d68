"""Fitting one candidate: search, fit, calibrate on a later slice; and its plain numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from featurizer.features import NAMES
from serving.linear import Linear, Log
from training.data.rows import Table
from training.data.splits import Fold, PurgedBlocks
from training.data.thresholds import Scores
from training.errors import FitError
from training.models.calibration import (
    CalibratedPipeline,
    Calibrator,
    Isotonic,
    Method,
    Sigmoid,
    later_slice,
)
from training.models.candidates import FLOORS, Candidate
from training.models.forecast import ShareLogistic, VolatilityForecast
from training.models.labelled_set import LabelledSet

BLOCKS: Final = 5
LEAST_ROWS: Final = 120
"""Fewer rows hold two independent minutes or less: neither fit nor calibration."""

SCORING: Final = make_scorer(
    log_loss, greater_is_better=False, response_method="predict_proba", labels=[False, True]
)
"""Log loss, because it wants right probabilities and is defined in a block without spikes."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A fitted candidate; ``calibrator`` None where the pipeline's own scores are used.

    ``parameters`` are what the search chose, with its mean log loss over the blocks.
    """

    candidate: Candidate
    features: tuple[str, ...]
    pipeline: Any
    calibration: Method = "none"
    calibrator: Calibrator | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def scores(self, table: Table) -> Scores:
        """Score all rows at once; serving scores one by one, which may differ in the last bit."""
        found: Scores = self.model.predict_proba(columns_of(table, self.features))[:, 1]
        return found

    @property
    def model(self) -> Any:
        """What has ``predict_proba``, calibration included."""
        if self.calibrator is None:
            return self.pipeline
        return CalibratedPipeline(self.pipeline, self.calibrator)

    def linear(self, variant: str) -> Linear | None:
        """Return the model as plain numbers, or None where it is no logistic of a weighted sum."""
        bare = _linear(variant, self.features, self.pipeline)
        if bare is None or isinstance(self.calibrator, Isotonic):
            return None
        if not isinstance(self.calibrator, Sigmoid):
            return bare
        slope, offset = self.calibrator.slope, self.calibrator.offset
        coef = tuple(slope * each for each in bare.coef)
        return replace(bare, coef=coef, intercept=slope * bare.intercept + offset)


def columns_of(table: Table, features: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return these features of all rows, [n, features]."""
    return table.features[:, [NAMES.index(name) for name in features]]


def fit(candidate: Candidate, labelled: LabelledSet) -> dict[Method, Fitted]:
    """Fit a candidate, and calibrate it in each way that its rows allow.

    ``none`` learns from all rows. For the others the earlier rows make the model, with what
    the search chose, and the later ones its calibration.

    Raises:
        FitError: the rows are too few, or have a single class and it is no forecast.
    """
    if len(labelled) < LEAST_ROWS or not (candidate.forecast or labelled.two_classes):
        found = f"{int(labelled.spikes.sum())} spikes in {len(labelled)} rows"
        raise FitError(f"found {found}, expected both and at least {LEAST_ROWS} rows")
    features = candidate.known(labelled.table)
    with threadpool_limits(limits=1):
        pipeline, parameters = _search(candidate, features, labelled)
        whole = Fitted(candidate, features, pipeline, parameters=parameters)
        return {"none": whole, **_calibrated(whole, labelled)}


def _calibrated(whole: Fitted, labelled: LabelledSet) -> dict[Method, Fitted]:
    early, late = (labelled.take(at) for at in later_slice(labelled.table.time_us))
    candidate = whole.candidate
    if candidate.role == "reference" and not candidate.forecast:
        return {}
    if min(len(early), len(late)) < LEAST_ROWS or not (candidate.forecast or early.two_classes):
        return {}
    base = replace(whole, pipeline=_fitted(clone(whole.pipeline), whole.features, early))
    found: dict[Method, Fitted] = {}
    if isinstance(base.pipeline["model"], VolatilityForecast):
        found["errors"] = replace(base, pipeline=_by_errors(base, late), calibration="errors")
    scores = base.scores(late.table)
    if late.two_classes:
        sigmoid, steps = Sigmoid.fit(scores, late.spikes), Isotonic.fit(scores, late.spikes)
        found["sigmoid"] = replace(base, calibrator=sigmoid, calibration="sigmoid")
        found["isotonic"] = replace(base, calibrator=steps, calibration="isotonic")
    return found


def _by_errors(base: Fitted, late: LabelledSet) -> Any:
    steps = dict(base.pipeline.steps)
    logs = base.pipeline[:-1].transform(columns_of(late.table, base.features))
    model = VolatilityForecast(steps["model"].weights)
    model.coef_, model.n_features_in_ = steps["model"].coef_, steps["model"].n_features_in_
    steps["model"] = model.calibrate(logs, late.excess)
    return Pipeline(list(steps.items()))


def _fitted(pipeline: Any, features: Sequence[str], labelled: LabelledSet) -> Any:
    arguments = fit_arguments(pipeline, labelled)
    return pipeline.fit(columns_of(labelled.table, features), labelled.spikes, **arguments)


def fit_arguments(pipeline: Any, labelled: LabelledSet) -> dict[str, Any]:
    """Return what ``fit`` wants beside rows and labels."""
    forecast = isinstance(pipeline["model"], VolatilityForecast)
    return {"model__excess": labelled.excess} if forecast else {}


def _search(
    candidate: Candidate, features: tuple[str, ...], labelled: LabelledSet
) -> tuple[Any, dict[str, Any]]:
    pipeline, values = candidate.build(features), columns_of(labelled.table, features)
    folds = _folds(candidate, labelled) if candidate.search_space else []
    if not folds:
        return _fitted(pipeline, features, labelled), {}
    search = GridSearchCV(pipeline, candidate.search_space, scoring=SCORING, cv=folds, n_jobs=1)
    search.fit(values, labelled.spikes, **fit_arguments(pipeline, labelled))
    chosen = {name.partition("__")[2]: value for name, value in search.best_params_.items()}
    return search.best_estimator_, chosen | {
        "blocks": len(folds),
        "search_log_loss": round(-float(search.best_score_), 6),
    }


def _folds(candidate: Candidate, labelled: LabelledSet) -> list[Fold]:
    """Return the purged blocks whose training part a model can be fitted on."""
    return [
        (train, test)
        for train, test in PurgedBlocks(labelled.table.time_us, BLOCKS).split(labelled.spikes)
        if len(train) >= LEAST_ROWS
        and (candidate.forecast or len(np.unique(labelled.spikes[train])) == 2)
    ]


def _linear(variant: str, features: tuple[str, ...], pipeline: Any) -> Linear | None:
    steps, count = dict(pipeline.steps), len(features)
    model, scale = steps["model"], steps.get("scale")
    if isinstance(model, VolatilityForecast) and "ewma" not in steps:
        coef = tuple((model.coef_ / model.spread_).tolist())
        intercept = model.level_ / model.spread_
    elif isinstance(model, LogisticRegression | ShareLogistic):
        coef, intercept = tuple(model.coef_[0].tolist()), float(model.intercept_[0])
    else:
        return None
    return Linear(
        variant,
        features,
        impute=tuple(steps["impute"].statistics_.tolist()),
        mean=tuple(scale.mean_.tolist()) if scale else (0.0,) * count,
        scale=tuple(scale.scale_.tolist()) if scale else (1.0,) * count,
        coef=coef,
        intercept=float(intercept),
        transform=tuple(Log(FLOORS[name]) for name in features) if "log" in steps else (),
    )


def plain_pipeline(linear: Linear) -> Pipeline:
    """Return linear model as a pipeline of scikit-learn's own steps, so that it loads anywhere."""
    count = len(linear.features)
    steps: list[tuple[str, Any]] = [("impute", SimpleImputer().fit([linear.impute]))]
    if linear.transform:
        floors = [way.floor for way in linear.transform if way is not None]
        clip = FunctionTransformer(np.clip, kw_args={"a_min": floors, "a_max": None})
        steps += [("floor", clip), ("log", FunctionTransformer(np.log))]
    scale, model = StandardScaler(), LogisticRegression()
    scale.mean_, scale.scale_ = np.array(linear.mean), np.array(linear.scale)
    scale.var_, scale.n_samples_seen_ = scale.scale_**2, 1
    model.coef_, model.intercept_ = np.array([linear.coef]), np.array([linear.intercept])
    model.classes_ = np.array([False, True])
    scale.n_features_in_ = model.n_features_in_ = count
    return Pipeline([*steps, ("scale", scale), ("model", model)])
