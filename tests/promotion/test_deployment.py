"""A deployment reaches the running server, or what stood before stands again everywhere."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from promotion.deployment import DeployError, Deployment, V2Server
from promotion.errors import PromotionError
from promotion.log import read_log
from promotion.model_pair import digests_in, folders_in
from promotion.promoter import Promoter
from serving.artifact import Artifact, ArtifactError, load_folder
from serving.v2 import Scored

MakeRun = Callable[..., Path]


@dataclass(slots=True)
class Server:
    """Keeps models in memory as a V2 server does; ``refuses`` and ``garbles`` name digests."""

    root: Path
    models: dict[str, Artifact] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    garbles: set[str] = field(default_factory=set)

    def load(self, variant: str) -> None:
        try:
            artifact = load_folder(self.root / variant)
        except ArtifactError as exc:
            raise DeployError(str(exc)) from exc
        if artifact.info.digest in self.refuses:
            raise DeployError(f"{variant}: found status 500, expected 200")
        self.models[variant] = artifact

    def score(self, variant: str, rows: Sequence[Sequence[float | None]]) -> Scored:
        if variant not in self.models:
            raise DeployError("nobody answers")
        artifact = self.models[variant]
        assert artifact.linear is not None
        off = 0.1 if artifact.info.digest in self.garbles else 0.0
        return Scored([artifact.linear.score(row) + off for row in rows], artifact.info)

    def serving(self) -> dict[str, str]:
        """Return the digest that each variant answers with."""
        return {variant: artifact.info.digest for variant, artifact in self.models.items()}


@pytest.fixture
def first(make_run: MakeRun, tmp_path: Path) -> Path:
    """Both models of the first training, as a folder of them."""
    return pair_of(make_run(tmp_path / "one", 1), tmp_path / "first")


@pytest.fixture
def second(make_run: MakeRun, tmp_path: Path) -> Path:
    """Both models of the second training, as a folder of them."""
    return pair_of(make_run(tmp_path / "two", 2), tmp_path / "second")


def pair_of(run: Path, folder: Path) -> Path:
    """Lay the winner and the baseline of a run out as model-settings does."""
    shutil.copytree(run / "candidates" / "logistic_regression", folder / "ml")
    shutil.copytree(run / "candidates" / "baseline", folder / "baseline")
    return folder


@pytest.fixture
def deployment(first: Path, tmp_path: Path) -> Deployment:
    """The first models are in place and serve."""
    root = tmp_path / "model-settings"
    shutil.copytree(first, root)
    server = Server(root)
    for variant in folders_in(root):
        server.load(variant)
    promoter = Promoter(
        root, tmp_path / "kept", "ada", lambda _: None, lambda: datetime(2026, 11, 22, tzinfo=UTC)
    )
    return Deployment(promoter, server)


def standing(deployment: Deployment) -> tuple[dict[str, str] | None, dict[str, str]]:
    """Return the digests in the folder and those that serve."""
    assert isinstance(deployment.server, Server)
    return digests_in(folders_in(deployment.promoter.root)), deployment.server.serving()


def digests(pair: Path) -> dict[str, str]:
    """Return the digests of a folder of both models."""
    found = digests_in(folders_in(pair))
    assert found is not None
    return found


def test_both_models_are_taken(deployment: Deployment, second: Path) -> None:
    """A folder of both replaces both, in the folder and in the server, with a line in the log."""
    deployment.deploy(second, "a better fit")
    assert standing(deployment) == (digests(second), digests(second))
    (line,) = read_log(deployment.promoter.root)
    assert (line.action, line.evidence) == ("promote", {"because": "a better fit"})


def test_one_model_is_taken(deployment: Deployment, first: Path, second: Path) -> None:
    """A folder of one model replaces that one; the other stays."""
    deployment.deploy(second / "ml")
    expected = {"ml": digests(second)["ml"], "baseline": digests(first)["baseline"]}
    assert standing(deployment) == (expected, expected)


def test_what_is_in_place_is_loaded_again(deployment: Deployment, second: Path) -> None:
    """A server that missed a promotion gets it, without a second line in the log."""
    deployment.promoter.put(folders_in(second))
    assert deployment.deploy(second) is None
    assert standing(deployment) == (digests(second), digests(second))
    assert len(read_log(deployment.promoter.root)) == 1


@pytest.mark.parametrize("fault", ["refuses", "garbles"])
def test_the_old_models_stay(deployment: Deployment, first: Path, second: Path, fault: str) -> None:
    """A model that does not load or scores its golden rows otherwise leaves what stood before."""
    getattr(deployment.server, fault).add(digests(second)["baseline"])
    with pytest.raises(DeployError, match="the models before stand again"):
        deployment.deploy(second)
    assert standing(deployment) == (digests(first), digests(first))
    assert [line.action for line in read_log(deployment.promoter.root)] == ["promote", "back"]


def test_going_back(deployment: Deployment, first: Path, second: Path) -> None:
    """What stood before serves again."""
    deployment.deploy(second)
    deployment.go_back()
    assert standing(deployment) == (digests(first), digests(first))


def test_going_back_fails(deployment: Deployment, first: Path, second: Path) -> None:
    """Where the server does not take the earlier models, the later ones stay."""
    deployment.deploy(second)
    assert isinstance(deployment.server, Server)
    deployment.server.refuses.add(digests(first)["ml"])
    with pytest.raises(DeployError, match="the models before stand again"):
        deployment.go_back()
    assert standing(deployment) == (digests(second), digests(second))


def test_another_tau_is_refused(
    deployment: Deployment, first: Path, make_run: MakeRun, tmp_path: Path
) -> None:
    """One model alone must mean the same spikes as the one that stays; nothing changes."""
    other = {"tau": {"BTC-USD": 0.5}}
    run = make_run(tmp_path / "run", 3, logistic_regression=other, baseline=other)
    with pytest.raises(PromotionError, match="τ"):
        deployment.deploy(pair_of(run, tmp_path / "third") / "ml")
    assert standing(deployment) == (digests(first), digests(first))
    assert not read_log(deployment.promoter.root)


def test_a_damaged_model_is_refused(deployment: Deployment, first: Path, second: Path) -> None:
    """A changed byte is found before anything changes."""
    (second / "ml" / "model.json").write_text("{}")
    with pytest.raises(PromotionError, match="damaged"):
        deployment.deploy(second)
    assert standing(deployment) == (digests(first), digests(first))


def test_no_model_folder(deployment: Deployment, tmp_path: Path) -> None:
    """A folder without a model says what was expected."""
    with pytest.raises(DeployError, match="expected one or both of ml, baseline"):
        deployment.deploy(tmp_path)


def test_nothing_changes_without_a_server(
    deployment: Deployment, first: Path, second: Path
) -> None:
    """With the server away, folder and log stay as they are."""
    away = Deployment(deployment.promoter, V2Server("http://127.0.0.1:1", timeout=1))
    with pytest.raises(DeployError, match="refused"):
        away.deploy(second)
    assert digests_in(folders_in(deployment.promoter.root)) == digests(first)
    assert not read_log(deployment.promoter.root)
