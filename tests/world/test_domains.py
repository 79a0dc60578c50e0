from __future__ import annotations

import pytest

from bythebook.errors import RecipeError
from bythebook.tasks import world


@pytest.mark.parametrize("domains", [1, 2, 6])
def test_training_sees_the_first_domains_and_the_test_all(domains: int) -> None:
    sets = world.load(seed=3, k=4, train=200, id=200, domains=domains)
    assert {e.domain for e in sets["train"]} == {f"trained-{i + 1}" for i in range(domains)}
    assert {e.domain for e in sets["id"]} == {f"trained-{i + 1}" for i in range(6)}


def test_all_domains_are_the_default() -> None:
    assert world.load(seed=3, train=20, domains=6) == world.load(seed=3, train=20)


@pytest.mark.parametrize("domains", [0, 7, -1])
def test_another_number_of_domains_is_refused(domains: int) -> None:
    with pytest.raises(RecipeError, match="world option domains"):
        world.load(seed=3, train=20, domains=domains)
