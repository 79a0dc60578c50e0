"""What needs no guideline and no language model on SemEval-2010 Task 8: the classes' frequency, and a bag of words.

The reference points beside which a trained annotator stands. No setting was tuned: the regression has scikit-learn's
defaults but for the number of iterations.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from bythebook.errors import DataError, MissingExtraError
from bythebook.metrics.semeval2010 import OTHER, Scores, score
from bythebook.tasks.semeval2010 import answer_number, gold_answers
from bythebook.types import Example

__all__ = ["bag_of_words", "majority_class", "majority_relation", "predict_baselines", "score_baselines"]

_WORD = re.compile(r"\w+|[^\w\s]")
_AROUND = 3
_MOST_BETWEEN = 10


def majority_class(train: Sequence[Example], test: Sequence[Example]) -> dict[int, str]:
    """official number of every test sentence → the most frequent label of `train`; ties go to the first by name."""
    return _constant(_labels(train), test)


def majority_relation(train: Sequence[Example], test: Sequence[Example]) -> dict[int, str]:
    """As `majority_class`, but never `Other`: the official macro-F1 of a constant `Other` is 0 whatever the data."""
    return _constant([label for label in _labels(train) if label != OTHER], test)


def _labels(examples: Sequence[Example]) -> list[str]:
    return list(gold_answers(examples).values())


def _constant(labels: Sequence[str], test: Sequence[Example]) -> dict[int, str]:
    if not labels:
        raise DataError("no training sentence to count labels in")
    counts = Counter(labels)
    label = min(counts, key=lambda name: (-counts[name], name))
    return {answer_number(e.id): label for e in test}


def bag_of_words(train: Sequence[Example], test: Sequence[Example]) -> dict[int, str]:
    """official number of every test sentence → label by logistic regression (L2, C = 1, multinomial; deterministic).

    Features, all binary, lower-cased words and punctuation marks: the words between the entities, three before `e1`,
    three after `e2`, the words of each entity, and how many stand between (up to ten). MissingExtraError without
    scikit-learn; DataError if `train` has fewer than two labels.
    """
    try:
        from sklearn.feature_extraction import DictVectorizer
        from sklearn.linear_model import LogisticRegression
    except ImportError:
        raise MissingExtraError("the bag-of-words baseline", "train") from None
    labels = _labels(train)
    if len(set(labels)) < 2:
        raise DataError("a classifier needs training sentences of at least two labels")
    if not test:
        return {}
    vectorizer = DictVectorizer()
    model = LogisticRegression(max_iter=300)
    model.fit(vectorizer.fit_transform([_features(e) for e in train]), labels)
    predicted = model.predict(vectorizer.transform([_features(e) for e in test]))
    return {answer_number(e.id): str(label) for e, label in zip(test, predicted, strict=True)}


def _features(example: Example) -> dict[str, int]:
    # Cut before lower-casing: lower-casing can change the length of a text, and with it the offsets.
    text, e1, e2 = example.text, example.entity("e1").span, example.entity("e2").span
    between = _words(text[e1.end : e2.start])
    names = [f"between={w}" for w in between]
    names += [f"before={w}" for w in _words(text[: e1.start])[-_AROUND:]]
    names += [f"after={w}" for w in _words(text[e2.end :])[:_AROUND]]
    for role, span in (("e1", e1), ("e2", e2)):
        words = _words(span.of(text))
        names += [f"{role}={w}" for w in words]
        names += [f"{role} head={w}" for w in words[-1:]]
    names.append(f"distance={min(len(between), _MOST_BETWEEN)}")
    return dict.fromkeys(names, 1)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def score_baselines(train: Sequence[Example], test: Sequence[Example]) -> dict[str, Scores]:
    """baseline name → official scores on `test`. Raises as `bag_of_words`."""
    gold = gold_answers(test)
    return {name: score(gold, found) for name, found in predict_baselines(train, test).items()}


def predict_baselines(train: Sequence[Example], test: Sequence[Example]) -> dict[str, dict[int, str]]:
    """Answers of the three baselines by name. MissingExtraError without scikit-learn."""
    baselines = {"majority class": majority_class, "majority relation": majority_relation, "bag of words": bag_of_words}
    return {name: predict(train, test) for name, predict in baselines.items()}
