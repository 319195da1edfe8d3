"""A thin run of ``tools/simulate_driver.py``, which takes a million jobs by default."""

from simulate_driver import Faults, SimulatedCluster, simulate


def test_thousands_of_jobs_on_workers_that_die_hang_and_leave_end_once_each():
    faults = Faults(die=0.02, hang=0.005, poison=0.005, unheard=0.005, machine=0.003, start=0.1)
    measured = simulate(4000, 60, faults, seed=3)
    assert measured["jobs with exactly one row"] == 4000
    assert measured["most jobs in flight a worker"] == 2
    for happened in ("jobs that kill every worker", "done twice", "workers lost", "workers hung"):
        assert measured[happened] > 0
    assert measured["given up after 2 deaths"] >= measured["jobs that kill every worker"]


def test_without_faults_workers_are_busy_but_for_the_end():
    none = Faults(die=0, hang=0, poison=0, unheard=0, machine=0, start=0)
    measured = simulate(4000, 20, none, seed=0)
    assert measured["workers busy, percent"] > 97
    assert measured["workers lost"] == measured["done twice"] == 0


def test_the_simulation_notices_what_the_driver_must_not_do():
    cluster = SimulatedCluster(10, 1, Faults(start=0), seed=0)
    worker = cluster.start()
    cluster.submit(worker, [0])
    cluster.submit(worker, [1])
    try:
        cluster.submit(worker, [2])
    except AssertionError:
        return
    raise RuntimeError("a third job was accepted")
