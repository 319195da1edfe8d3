"""Whatever becomes of the workers: nothing is lost, nothing ends twice, two jobs in flight."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulated_workers import SimulatedWorkers

from avloc.engine.driver import MOST_DEATHS, MOST_LOSSES, Driver
from avloc.errors import ClusterError


def drive(workers, **settings):
    settings = {"deadline": 5.0, "start_seconds": 5.0} | settings
    return Driver(
        workers,
        failed=lambda item, reason: f"failed: {reason}",
        is_postponed=lambda row: row == "later",
        clock=workers.clock,
        **settings,
    )


FATES = ["done", "done", "done", "later", "die", "node", "hang", "sign", "slow"]


@given(
    draw=st.data(),
    n_items=st.integers(0, 12),
    n_at_once=st.integers(1, 3),
    sizes=st.lists(st.integers(0, 4), min_size=1, max_size=6),
)
def test_every_item_ends_once_whatever_happens(draw, n_items, n_at_once, sizes):
    n_looks, n_drawn = 0, 0

    def size():  # the cluster grows and shrinks, and at last has room
        nonlocal n_looks
        n_looks += 1
        return sizes[n_looks] if n_looks < len(sizes) else max(1, sizes[-1])

    def fate(worker, job):  # misfortune ends after a while
        nonlocal n_drawn
        n_drawn += 1
        if n_drawn > 40:
            return "done"
        return draw.draw(st.sampled_from(FATES if job else ["done", "done", "node", "slow"]))

    workers = SimulatedWorkers(fate, size)
    outcomes = list(drive(workers, n_at_once=n_at_once).run(iter(range(n_items))))
    assert sorted(outcome.item for outcome in outcomes) == list(range(n_items))
    assert workers.n_alive() == 0
    assert workers.most_workers <= max(4, *sizes)
    for outcome in outcomes:
        if outcome.row.startswith("failed"):
            assert workers.n_done[outcome.item] == 0 or outcome.was_lost
            assert workers.n_given[outcome.item] >= MOST_DEATHS
        else:
            assert workers.n_done[outcome.item] == 1
            assert workers.deaths_at[outcome.item] <= MOST_DEATHS  # once in a job of several
            assert outcome.was_lost >= bool(workers.deaths_at[outcome.item])


def test_an_item_at_which_two_workers_die_is_a_failure_and_costs_no_other():
    workers = SimulatedWorkers(lambda _, job: "die" if 5 in job else "done", lambda: 3)
    rows = {o.item: o.row for o in drive(workers).run(range(20))}
    assert [item for item, row in rows.items() if row != "done"] == [5]
    assert rows[5] == "failed: it was told to die"
    assert workers.deaths_at == Counter({5: MOST_DEATHS})


def test_of_a_lost_job_of_several_items_the_guilty_one_is_found():
    workers = SimulatedWorkers(lambda _, job: "die" if 5 in job else "done", lambda: 2)
    rows = {o.item: o.row for o in drive(workers, n_at_once=4).run(range(20))}
    assert [item for item, row in rows.items() if row != "done"] == [5]
    assert set(workers.n_done) == set(range(20)) - {5}
    assert max(workers.n_done.values()) == 1


def test_a_hung_worker_is_replaced_after_the_deadline_and_a_slow_one_that_gives_signs_is_not():
    n_steps = Counter()

    def fate(worker, job):
        n_steps[job] += 1
        if job == (0,):
            return "sign" if n_steps[job] < 50 else "done"
        return "hang" if job == (1,) and n_steps[job] == 1 else "done"

    workers = SimulatedWorkers(fate, lambda: 2)
    outcomes = {o.item: o for o in drive(workers).run(range(6))}
    assert {o.row for o in outcomes.values()} == {"done"}
    assert min(item for item, o in outcomes.items() if o.was_lost) == 1
    assert not outcomes[0].was_lost
    assert workers.n_given[0] == 1


def test_items_lost_with_their_machines_are_tried_again_without_blame_but_not_forever():
    workers = SimulatedWorkers(lambda _, job: "node" if 3 in job else "done", lambda: 2)
    rows = {o.item: o.row for o in drive(workers).run(range(6))}
    assert rows[3].startswith("failed")
    assert workers.n_given[3] == MOST_LOSSES
    assert workers.n_given[4] < MOST_LOSSES


def test_items_are_taken_only_when_they_are_needed():
    n_taken = n_ended = 0

    def items():
        nonlocal n_taken
        for item in range(10_000):
            n_taken += 1
            yield item

    workers = SimulatedWorkers(lambda *_: "done", lambda: 5)
    for _ in drive(workers, n_at_once=2).run(items()):
        n_ended += 1
        assert n_taken - n_ended <= 2 * (2 * 5 + 5)
    assert n_ended == 10_000


def test_what_another_run_works_on_is_tried_again_later():
    n_asked = Counter()

    def fate(_, job):
        n_asked[job] += 1
        return "later" if job == (2,) and n_asked[job] < 4 else "done"

    workers = SimulatedWorkers(fate, lambda: 1)
    driver = drive(workers, patience=10.0)
    outcomes = [outcome.item for outcome in driver.run(range(6))]
    assert outcomes == [0, 1, 3, 4, 5, 2]
    assert n_asked[(2,)] == 4
    assert workers.now > 30


def test_workers_come_with_the_cluster_and_the_last_jobs_are_spread():
    workers = SimulatedWorkers(lambda *_: "done", lambda: 1 if workers.now < 10 else 8)
    assert len(list(drive(workers).run(range(200)))) == 200
    assert workers.most_workers == 8
    few = SimulatedWorkers(lambda *_: "done", lambda: 8)
    assert len(list(drive(few).run(range(3)))) == 3
    assert few.most_workers == 3


def test_workers_that_never_begin_end_the_run_with_the_reason():
    workers = SimulatedWorkers(lambda *_: "die", lambda: 4)
    with pytest.raises(ClusterError, match="no worker can begin: it was told to die"):
        list(drive(workers).run(range(10)))
    assert workers.n_alive() == 0
    hung = SimulatedWorkers(lambda *_: "hang", lambda: 1)
    with pytest.raises(ClusterError, match="no sign of work for 5 s"):
        list(drive(hung).run(range(10)))


def test_leaving_the_iteration_ends_every_worker():
    workers = SimulatedWorkers(lambda *_: "done", lambda: 4)
    outcomes = drive(workers).run(range(100))
    next(outcomes)
    assert workers.n_alive() == 4
    outcomes.close()
    assert workers.n_alive() == 0
