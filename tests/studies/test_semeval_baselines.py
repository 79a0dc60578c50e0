from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bythebook.errors import DataError, MissingExtraError
from bythebook.studies.semeval_baselines import bag_of_words, majority_class, majority_relation, score_baselines
from bythebook.tasks.semeval2010 import gold_answers, load
from bythebook.types import Label

FIXTURE = Path(__file__).parents[1] / "fixtures" / "semeval2010_task8"
DATA = Path(__file__).parents[2] / "../shared/data/semeval2010_task8"
with_data = pytest.mark.skipif(not DATA.is_dir(), reason="no SemEval-2010 files beside the repository")


def test_the_majority_is_counted_in_training() -> None:
    parts = load(FIXTURE)
    train = [
        *parts["train"],
        *(e.model_copy(update={"gold": Label(name="Other")}) for e in parts["train"][:3]),
        parts["train"][6],
    ]
    assert set(majority_class(train, parts["test"]).values()) == {"Other"}
    assert majority_relation(train, parts["test"]) == dict.fromkeys(range(8001, 8005), "Component-Whole(e1,e2)")


def test_no_training_sentence_is_an_error() -> None:
    test = load(FIXTURE)["test"]
    with pytest.raises(DataError, match="no training sentence"):
        majority_class([], test)


def test_bag_of_words_learns_its_training_sentences() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn (the 'train' extra) is not installed")
    train = load(FIXTURE)["train"]
    assert bag_of_words(train, train) == gold_answers(train)
    assert bag_of_words(train, []) == {}
    with pytest.raises(DataError, match="at least two labels"):
        bag_of_words(train[:1], train)


def test_bag_of_words_without_scikit_learn_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.feature_extraction", None)
    with pytest.raises(MissingExtraError, match=r"bythebook\[train\]"):
        bag_of_words(load(FIXTURE)["train"], [])


@with_data
def test_the_reference_points_on_the_official_split() -> None:
    pytest.importorskip("sklearn", reason="scikit-learn (the 'train' extra) is not installed")
    parts = load(DATA)
    official = {name: s.official for name, s in score_baselines(parts["train"], parts["test"]).items()}
    assert official["majority class"].macro.f1 == 0.0
    assert official["majority class"].accuracy == pytest.approx(0.1671, abs=5e-5)
    assert official["majority relation"].macro.f1 == pytest.approx(0.0215, abs=5e-5)
    assert official["bag of words"].macro.f1 == pytest.approx(0.747, abs=0.005)
    assert official["bag of words"].accuracy == pytest.approx(0.6945, abs=0.005)
