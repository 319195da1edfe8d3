"""A connection to a Ray cluster: one that runs somewhere, or one on this machine for one run."""

from __future__ import annotations

import logging
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from avloc.errors import ClusterError, DependencyError, UsageError
from avloc.interrupts import interrupts_blocked

LOCAL = "local"
"""The address of a cluster that is made on this machine, and ends with the run."""
_ADDRESS_VARIABLE = "RAY_ADDRESS"
_PATIENCE = 5.0  # seconds for a cluster's port to answer
_OBJECT_STORE_BYTES = 80 << 20  # nearly the least: only rows go through it
# What Ray reads when it is imported. Its own messages would go to stdout, among the data.
_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": "^",
    "RAY_SCHEDULER_EVENTS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
# An HTTP/2 connection's first bytes, which a cluster's port answers in kind.
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to a cluster and yield the module ``ray``; a connection that exists is used.

    ClusterError where there is no cluster, DependencyError without the package.
    """
    ray = import_ray()
    if ray.is_initialized():  # by the program that calls us, which also ends it
        yield ray
        return
    address = address or os.environ.get(_ADDRESS_VARIABLE, "") or LOCAL
    quiet = {"log_to_driver": False, "configure_logging": False, "namespace": "avloc"}
    try:
        if address == LOCAL:
            with tempfile.TemporaryDirectory(
                prefix="avloc-ray-", ignore_cleanup_errors=True
            ) as folder:
                _begin(ray, address, quiet | _of_this_machine(folder))
                yield ray
                ray.shutdown()
        else:
            _check_port(address)
            _begin(ray, address, quiet)
            yield ray
    finally:
        ray.shutdown()


def import_ray() -> Any:
    """Return the module ``ray``, which prints nothing; DependencyError without it."""
    if find_spec("ray") is None:
        raise DependencyError(
            "the engine ray needs the package ray", "Install it: pip install ray."
        )
    for name, value in _SETTINGS.items():
        os.environ.setdefault(name, value)
    import ray

    logging.getLogger("ray").setLevel(logging.CRITICAL)
    return ray


def _of_this_machine(folder: str) -> dict[str, Any]:
    return {
        "include_dashboard": False,  # its interface for jobs asks for no password
        "object_store_memory": _OBJECT_STORE_BYTES,
        "_temp_dir": folder,
    }


def _begin(ray: Any, address: str, settings: Mapping[str, Any]) -> None:
    what = "Ray cannot start here" if address == LOCAL else f"no Ray cluster at {address}"
    try:
        with interrupts_blocked(), _term_handler_restored():
            ray.init(address=address, **settings)
    except (Exception, SystemExit) as error:  # Ray ends the program after its last attempt
        ray.shutdown()
        reason = str(error).strip().splitlines()
        hint = (
            "Choose --engine local, or name a cluster with --cluster HOST:PORT."
            if address == LOCAL
            else "Run avloc on a node of the cluster; `ray status` there must show it."
        )
        raise ClusterError(f"{what}: {reason[0][:200] if reason else 'no answer'}", hint) from error


def _check_port(address: str) -> None:
    """Refuse an address at which no cluster answers; Ray itself would try for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if "://" in address or not host or not port.isdecimal():
        raise UsageError(
            f"{address!r} is not the address of a Ray cluster",
            "Give HOST:PORT of its head node, for example 10.0.0.4:6379.",
        )
    try:
        with socket.create_connection((host, int(port)), _PATIENCE) as connection:
            connection.sendall(_GREETING)
            answer = connection.recv(9)
        reason = "" if len(answer) == 9 and answer[3] == 4 else "something else answers there"
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
    if reason:
        raise ClusterError(
            f"no Ray cluster at {address}: {reason}",
            "Start it with `ray start --head --port=6379`, or check --cluster and $RAY_ADDRESS.",
        )


@contextmanager
def _term_handler_restored() -> Iterator[None]:
    """Undo Ray's change of what a program does when it is asked to end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
