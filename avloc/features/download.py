"""A download that continues where it broke off, and ends with the right file or none."""

from __future__ import annotations

from pathlib import Path

import pooch

from avloc.artifacts import atomic_path, sha256_of
from avloc.errors import WeightsError

N_ATTEMPTS = 4
_TIMEOUT_SECONDS = 30


def download(url: str, target: Path, sha256: str) -> str:
    """Download a file; return its sha256, or raise WeightsError if it is not the expected one."""
    with atomic_path(target) as temporary:
        reason = ""
        for _ in range(N_ATTEMPTS):
            is_fresh = temporary.stat().st_size == 0
            reason, is_final = _continue(url, temporary)
            digest = sha256_of(temporary)
            if digest.startswith(sha256):  # whole, even where the connection ended badly
                return digest
            if not reason:
                reason = f"{url} sent a file with sha256 {digest}"
                is_final = is_fresh
                temporary.write_bytes(b"")  # for a server that ignores "from byte n on"
            if is_final:
                break
        raise WeightsError(reason)


def _continue(url: str, path: Path) -> tuple[str, bool]:
    """Append what is missing; return what went wrong ("" if nothing) and whether it is final."""
    n_bytes = path.stat().st_size
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={n_bytes}-"} if n_bytes else {})
    fetch = pooch.HTTPDownloader(progressbar=False, timeout=_TIMEOUT_SECONDS, headers=headers)
    try:
        with path.open("ab") as file:
            fetch(url, file, None)
    except OSError as error:  # what the HTTP library raises, too
        if error.errno is not None:
            raise  # the disk's, not the network's
        status = getattr(getattr(error, "response", None), "status_code", None)
        is_refused = status is not None and 400 <= status < 500
        return str(error), is_refused
    return "", False
