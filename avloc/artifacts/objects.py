"""Objects at an address: looked up, listed, read and written whole.

All errors of the drivers become one line here: `avloc.errors.AddressError`, or DependencyError
where the driver's package is missing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avloc.artifacts.address import Address, Location
from avloc.artifacts.address_errors import in_words, missing_driver, refuse_missing_bucket
from avloc.artifacts.atomic import scratch_file
from avloc.errors import AddressError, AvlocError, UsageError
from avloc.progress import give_sign

if TYPE_CHECKING:
    import fsspec

_PIECE = 8 << 20  # bytes of a request while an object is fetched; each is a sign of work
_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "generation")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "created")


@dataclass(frozen=True)
class ObjectInfo:
    """What a store says of an object without reading it.

    Attributes:
        address: where it is.
        is_folder: it is a folder of objects.
        n_bytes: its size.
        tag: differs where the content differs: its entity tag, or its size and date.
        written: seconds as `time.time`; 0 where the store does not say.
    """

    address: Address
    is_folder: bool
    n_bytes: int
    tag: str
    written: float


def look_up(address: Address) -> ObjectInfo | None:
    """Return what is at an address; None if there is nothing."""
    with reaching(address) as (system, path):
        try:
            return _info(address, system.info(path))
        except FileNotFoundError as error:
            refuse_missing_bucket(error)
            return None


def is_folder(location: Location) -> bool:
    """Tell whether a path or an address is a folder; an address with nothing below it is none."""
    if isinstance(location, Path):
        return location.is_dir()
    info = look_up(location)
    return info is not None and info.is_folder


def list_objects(folder: Address, *, at_any_depth: bool = False) -> list[ObjectInfo]:
    """Return the objects in a folder in order of their names; nothing if there is no folder."""
    with reaching(folder) as (system, path):
        try:
            if at_any_depth:
                entries = list(system.find(path, detail=True).values())
            else:
                entries = system.ls(path, detail=True)
        except FileNotFoundError as error:
            refuse_missing_bucket(error)
            return []
        root = path.strip("/")
        found = [(entry["name"].strip("/").removeprefix(root), entry) for entry in entries]
    infos = [_info(folder / n.strip("/"), entry) for n, entry in found if n.startswith("/")]
    return sorted(infos, key=lambda info: str(info.address))


def read_object(address: Address, n_most: int) -> bytes | None:
    """Return the first bytes of an object, ``n_most`` at most; None if it does not exist."""
    with reaching(address) as (system, path):
        try:
            if system.info(path)["type"] == "directory":
                return None
            content: bytes = system.cat_file(path)[:n_most]
        except FileNotFoundError:
            return None
    return content


def write_object(address: Address, content: bytes) -> None:
    """Write an object in one request."""
    with reaching(address) as (system, path):
        system.pipe_file(path, content)


def create_object(address: Address, content: bytes) -> bool:
    """Write an object that does not exist yet; False if it exists, where the store can tell."""
    with reaching(address) as (system, path):
        try:
            system.pipe_file(path, content, mode="create")
        except FileExistsError:
            return False
        except (TypeError, NotImplementedError):  # a driver without this mode
            system.pipe_file(path, content)
    return True


@contextmanager
def new_object(address: Address) -> Iterator[Path]:
    """Yield a file of this machine; put it at an address, in one piece, when the block succeeds."""
    with scratch_file(address.name) as file:
        try:
            yield file
        except OSError as error:
            raise _scratch_error(address, file, error) from error
        with reaching(address) as (system, path):
            system.put_file(str(file), path)


def remove_object(address: Address) -> None:
    """Remove an object, if it exists."""
    with reaching(address) as (system, path):
        try:
            system.rm_file(path)
        except FileNotFoundError:
            return


def fetch_object(address: Address, file: Path) -> None:
    """Write an object's content to a local file; OSError if that file cannot be written."""
    with reaching(address) as (system, path):
        source = system.open(path, "rb", block_size=_PIECE, cache_type="none")
    with file.open("wb") as target, source:
        while True:
            give_sign()
            with reaching(address):
                piece = source.read(_PIECE)
            if not piece:
                return
            target.write(piece)


@contextmanager
def staged(location: Location) -> Iterator[Path]:
    """Yield a file of this machine with the content of an object; it is removed afterwards.

    A path is yielded as it is. The file lies in the system's folder for temporary files
    (``$TMPDIR``). Errors of avloc inside the block name the address in place of that file.
    """
    if isinstance(location, Path):
        yield location
        return
    with scratch_file(location.name) as file, named(file, location):
        try:
            fetch_object(location, file)
        except OSError as error:
            raise _scratch_error(location, file, error) from error
        yield file


@contextmanager
def named(file: Path, address: Address) -> Iterator[None]:
    """Let errors name an address in place of a file that stands for it."""
    try:
        yield
    except AvlocError as error:
        error.message = error.message.replace(str(file), str(address))
        error.hint = error.hint.replace(str(file), str(address))
        raise


@contextmanager
def reaching(address: Address) -> Iterator[tuple[fsspec.AbstractFileSystem, str]]:
    """Yield the driver and its path; its errors become avloc's."""
    from fsspec.core import url_to_fs  # slow to load, and files need none of it

    if "::" in address.url:
        raise UsageError(f"{address} names several protocols", "Name an object by one protocol.")
    try:
        # what another machine has written meanwhile must be seen
        yield url_to_fs(address.url, use_listings_cache=False)
    except AvlocError:
        raise
    except ImportError as error:
        raise missing_driver(address) from error
    except Exception as error:
        raise in_words(address, error) from error


def _scratch_error(address: Address, file: Path, error: OSError) -> AddressError:
    return AddressError(
        f"the copy of {address} in {file.parent} cannot be written: {error.strerror or error}",
        "Free some space there, or choose another folder with TMPDIR.",
    )


def _info(address: Address, entry: dict[str, Any]) -> ObjectInfo:
    n_bytes = int(entry.get("size") or 0)
    moment = next((entry[name] for name in _TIMES if entry.get(name)), 0.0)
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    written = moment.timestamp() if isinstance(moment, datetime) else float(moment)
    tag = next((str(entry[name]) for name in _TAGS if entry.get(name)), f"{n_bytes} {written}")
    return ObjectInfo(address, entry["type"] == "directory", n_bytes, tag, written)
