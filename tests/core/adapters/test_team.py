import torch

from compass_core.adapters.team import Team


def test_parts_are_even_and_together_are_all():
    sizes = [9, 1, 8, 2, 7, 3]
    parts = [Team(rank, 2).share(sizes, lambda n: n) for rank in range(2)]
    assert sorted(parts[0] + parts[1]) == sorted(sizes)
    assert parts == [[9, 7, 2], [8, 3, 1]]


def test_more_processes_than_examples_leaves_some_without():
    assert [Team(rank, 3).share([5], lambda n: n) for rank in range(3)] == [[5], [], []]


def test_alone_everything_stays_as_it_is(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    team = Team.here(cpu=True)
    items = [3, 1, 2]
    assert team.share(items, lambda n: n) is items
    assert team.sums(1.5, 2.0) == [1.5, 2.0]
    weight = torch.nn.Parameter(torch.ones(2))
    team.sum_gradients([weight])
    assert weight.grad is None
    assert team.leads
    assert team.agrees(True)
    assert not team.agrees(False)
    assert team.gather("x") == ["x"]
