"""MLflow: a run for every training, with all that its run folder holds and the models to load."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from re import sub
from typing import Any, Final, Protocol

from featurizer.features import FEATURES_DIGEST, NAMES
from promotion.log import Promotion
from promotion.model_pair import Folders, pair_digest
from promotion.run_folder import RunRecord, flattened, model_folder, read_run
from promotion.tracking import registry
from promotion.tracking.connection import (
    TrackingStore,
    connected,
    experiment,
    store_of,
)
from serving.artifact import Artifact, load_folder
from serving.tensor import OUTPUT, SEVERE, TAU

MODEL_CODE: Final = Path(__file__).with_name("pyfunc.py")
PLOTS: Final = "plots"
HEADLINES: Final = (
    "rows",
    "prevalence",
    "pr_auc",
    "pr_auc_lift",
    "brier",
    "brier_skill",
    "roc_auc",
)
FLATTERING: Final = "published"
"""The protocol kept to show what it flatters; never among the headlines."""
RUN_TAG: Final = "training.run_id"
_VALUE_LIMIT: Final = 500
_SHORT: Final = 12


class TrackingSettings(Protocol):
    """The settings that say where MLflow is."""

    tracking_uri: str
    tracking: Path


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """Where a training stands in MLflow; ``version`` is that of the registered model."""

    run_id: str
    version: str
    uri: str


def tracked_at(settings: TrackingSettings) -> TrackingStore:
    """Return the store that the settings name."""
    return store_of(settings.tracking_uri, settings.tracking)


def log_run(folder: Path, settings: TrackingSettings) -> TrackedRun:
    """Log a run folder as one run with a nested one for each candidate, and register its models.

    A folder that is logged already is not logged again.

    Raises:
        RunError: the folder is no run folder.
        TrackingError: MLflow could not be reached or refused; the folder is as it was.
    """
    record, store = read_run(folder), tracked_at(settings)
    with connected(store) as mlflow:
        number = experiment(mlflow, store)
        digests = {v: record.digests[name] for v, name in record.variants().items()}
        done = _finished(mlflow, number, record.run_id)
        version = registry.find_version(mlflow.MlflowClient(), digests) if done else None
        if done is None or version is None:
            with mlflow.start_run(
                experiment_id=number, run_name=_name(record), tags=_tags(record)
            ) as run:
                models = _log_all(mlflow, number, folder, record)
                done = str(run.info.run_id)
            tags = {"training.run_id": record.run_id, "winner": record.winner}
            version = registry.register(mlflow, digests, models, _about(record), tags)
    return TrackedRun(done, version, store.uri)


def crown(promotion: Promotion, folders: Folders, store: TrackingStore) -> str:
    """Make the promoted models, which these folders hold, the champion; gives the version.

    Models that MLflow never saw are logged first. Doing it again changes nothing.

    Raises:
        TrackingError: MLflow could not be reached; the promotion stands all the same.
    """
    with connected(store) as mlflow:
        client = mlflow.MlflowClient()
        registry.ensure_model(client)
        version = registry.find_version(client, promotion.to)
        if version is None:
            version = _adopt(mlflow, store, promotion, folders)
        registry.set_champion(mlflow, version, promotion)
    return version


def _adopt(mlflow: Any, store: TrackingStore, promotion: Promotion, folders: Folders) -> str:
    """Log models whose training was not tracked, in a run of their own."""
    name = f"adopted {promotion.digest[:_SHORT]}"
    about = f"Models promoted by {promotion.who} at {promotion.when}; their training is not here."
    with mlflow.start_run(
        experiment_id=experiment(mlflow, store), run_name=name, description=about
    ):
        models = {v: _log_model(mlflow, v, folder, {}) for v, folder in folders.items()}
    return registry.register(mlflow, promotion.to, models, about, {"winner": "unknown"})


def _finished(mlflow: Any, number: str, run_id: str) -> str | None:
    """Return MLflow's id of the run in which this training was logged to its end."""
    found = mlflow.MlflowClient().search_runs(
        [number], f"tags.`{RUN_TAG}` = '{run_id}' and attributes.status = 'FINISHED'"
    )
    return str(found[0].info.run_id) if found else None


def _log_all(mlflow: Any, number: str, folder: Path, record: RunRecord) -> dict[str, str]:
    """Fill the active run, with the winner's model, and a nested run for each candidate."""
    data = _dataset(record)
    parameters = {"winner": record.winner, "dataset_digest": record.dataset_digest}
    mlflow.log_params(_texts(parameters | {"features_digest": FEATURES_DIGEST}))
    mlflow.log_params(_texts(dict(flattened(record.parameters))))
    mlflow.log_input(data, context="training")
    for path in sorted(folder.iterdir()):
        if path.name == PLOTS:
            mlflow.log_artifacts(str(path), PLOTS)
        elif path.suffix in (".html", ".json"):
            mlflow.log_artifact(str(path))
    models = {"ml": _log_scored(mlflow, folder, record, "ml", data)}
    for name in record.metrics:
        tags = {"role": "candidate", "winner": str(name == record.winner).lower()}
        with mlflow.start_run(experiment_id=number, run_name=name, nested=True, tags=tags):
            mlflow.log_params({"candidate": name, "dataset_digest": record.dataset_digest})
            if name == record.variants()["baseline"]:
                models["baseline"] = _log_scored(mlflow, folder, record, "baseline", data)
            else:
                mlflow.log_metrics(numbers_of(record.metrics[name]))
    if "baseline" not in models:
        models["baseline"] = _log_model(mlflow, "baseline", model_folder(folder, "baseline"), {})
    return models


def _log_scored(mlflow: Any, folder: Path, record: RunRecord, variant: str, data: Any) -> str:
    """Log a model, and its candidate's metrics for both the model and the active run."""
    name = record.variants()[variant]
    model = _log_model(mlflow, variant, model_folder(folder, name), {"candidate": name})
    if numbers := numbers_of(record.metrics.get(name, {})):
        mlflow.log_metrics(numbers, model_id=model, dataset=data)
    return model


def _log_model(mlflow: Any, variant: str, folder: Path, tags: Mapping[str, str]) -> str:
    """Log the bytes of a model folder with signature and example; gives MLflow's id of it."""
    artifact = load_folder(folder)
    info = artifact.info
    own = {"variant": variant, "digest": info.digest, "version": info.version}
    logged = mlflow.pyfunc.log_model(
        name=f"{variant}-{info.version}",
        python_model=str(MODEL_CODE),
        artifacts={"folder": str(folder)},
        signature=_signature(artifact),
        input_example=_example(artifact),
        pip_requirements=[
            f"{name}=={v}" for name, v in artifact.card.libraries.items() if name != "python"
        ],
        params=_texts(_model_parameters(artifact)),
        tags={**own, "dialect": info.dialect, **tags},
        model_type="classifier",
    )
    return str(logged.model_id)


def _model_parameters(artifact: Artifact) -> dict[str, Any]:
    info, linear, relative = artifact.info, artifact.linear, artifact.relative
    kind = "relative" if relative else "linear" if linear else "pipeline"
    found: dict[str, Any] = {"kind": kind}
    found["features"] = ", ".join(artifact.features)
    found |= {f"tau/{product}": value for product, value in info.tau.items()}
    found |= {f"threshold/{product}": value for product, value in info.threshold.items()}
    if relative is not None:
        thresholds = {str(level): dict(each) for level, each in info.thresholds.items()}
        found |= {"default_tau": info.default_tau, **dict(flattened(thresholds))}
    if linear is not None:
        found |= {f"coef/{n}": c for n, c in zip(linear.features, linear.coef, strict=True)}
    return found


def _columns(artifact: Artifact) -> list[str]:
    return [*NAMES, TAU] if artifact.info.relative else [*NAMES]


def _signature(artifact: Artifact) -> Any:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    inputs = Schema([ColSpec("double", name, required=False) for name in _columns(artifact)])
    outputs = [OUTPUT, SEVERE] if artifact.info.relative else [OUTPUT]
    return ModelSignature(inputs, Schema([ColSpec("double", name) for name in outputs]))


def _example(artifact: Artifact) -> Any:
    """Return golden rows, which are of the generated market: a whole one and one with unknowns."""
    import pandas

    rows = artifact.card.golden.inputs
    shown = [rows[-1], rows[min(1, len(rows) - 1)]]
    return pandas.DataFrame(shown, columns=_columns(artifact), dtype="float64")


def _dataset(record: RunRecord) -> Any:
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.types import ColSpec, Schema

    columns = [ColSpec("double", name, required=False) for name in NAMES]
    return MetaDataset(
        CodeDatasetSource(tags={"digest": record.dataset_digest}),
        name="recordings",
        digest=record.dataset_digest[:_SHORT],
        schema=Schema([*columns, ColSpec("double", "volatility")]),
    )


def numbers_of(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return every finite number of nested metrics by its path, as MLflow names allow.

    >>> numbers_of({"pooled": {"brier": 0.05, "pr_auc": None, "note": "(a)"}})
    {'pooled/brier': 0.05}
    """
    return {
        sub(r"[^\w\-. /]", "_", path): float(value)
        for path, value in flattened(metrics)
        if isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    }


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {sub(r"[^\w\-. /]", "_", k): str(v)[:_VALUE_LIMIT] for k, v in values.items()}


def _name(record: RunRecord) -> str:
    """Return a short name that tells trainings apart in a narrow column."""
    return f"{record.winner} {record.created[5:16].replace('T', ' ')}"


def _tags(record: RunRecord) -> dict[str, str]:
    digests = {v: record.digests[name] for v, name in record.variants().items()}
    return {
        RUN_TAG: record.run_id,
        "role": "training",
        "mlflow.source.name": "python -m training train",
        "winner": record.winner,
        "dataset": record.dataset_digest[:_SHORT],
        "models": pair_digest(digests)[:_SHORT],
        "mlflow.note.content": _about(record),
    }


def _about(record: RunRecord) -> str:
    """Say in Markdown who won, on what and why, with the main figures of every candidate."""
    lines = [f"Winner {record.winner} on dataset {record.dataset_digest[:_SHORT]}", ""]
    for name, value in record.evidence.items():
        leaves = flattened(value) if isinstance(value, Mapping) else [("", value)]
        words = (f"{path} {_figure(leaf)}".strip() for path, leaf in leaves if _plain(leaf))
        said = ", ".join(words).replace("_", " ")
        lines += [f"- {name.replace('_', ' ')}: {said}"] if said else []
    lines += ["", f"| candidate | {' | '.join(HEADLINES)} |", "|---" * (len(HEADLINES) + 1) + "|"]
    for name, metrics in record.metrics.items():
        honest = {part: value for part, value in metrics.items() if part != FLATTERING}
        cells = (_cell(numbers_of(honest), headline) for headline in HEADLINES)
        shown = f"**{name}**" if name == record.winner else name
        lines.append(f"| {shown} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(numbers: Mapping[str, float], headline: str) -> str:
    """Return the figure of that name that stands first among those with the shortest path."""
    found = [path for path in numbers if path.rpartition("/")[2] == headline]
    return _figure(numbers[min(found, key=lambda path: path.count("/"))]) if found else "–"


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else f"{value:.4g}"
    return str(value)
