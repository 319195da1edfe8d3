"""Where something is: a path on this machine, or the address of an object that fsspec reaches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from avloc.errors import UsageError

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+")  # Path makes one slash of two
_PASSWORD = re.compile(r"([^/]+:/+[^/@:]*:)[^/@]*@")
_LOCAL = ("file", "local")
_WEB = ("http", "https")


@dataclass(frozen=True)
class Address:
    """The address of an object, or of a folder of objects: ``s3://bucket/clips/dog.mp4``.

    Attributes:
        url: with its protocol, and without a slash at its end.
    """

    url: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", self.url.rstrip("/"))

    def __str__(self) -> str:
        """Return the URL to show and to keep: without what a signed one ends with."""
        return self.url.partition("?")[0] if self.protocol in _WEB else self.url

    def __truediv__(self, name: str) -> Address:
        return Address(f"{self.url}/{name}")

    @property
    def protocol(self) -> str:
        """What stands before ``://``."""
        return self.url.partition("://")[0]

    @property
    def name(self) -> str:
        """The last part of the path; the bucket's name if there is no path."""
        return self._path.name

    @property
    def stem(self) -> str:
        """The name without its suffix."""
        return self._path.stem

    @property
    def suffix(self) -> str:
        """The name's suffix, with its dot."""
        return self._path.suffix

    @property
    def parent(self) -> Address:
        """The folder that it is in; a bucket is in itself."""
        folder = self._path.parent.as_posix()
        return self if folder == "." else Address(f"{self.protocol}://{folder}")

    @property
    def _path(self) -> PurePosixPath:
        return PurePosixPath(str(self).partition("://")[2])


Location: TypeAlias = Path | Address


def is_address(text: object) -> bool:
    """Return whether a text names an object elsewhere, and not a file of this machine."""
    protocol = _ADDRESS.match(str(text))
    return protocol is not None and protocol[1].lower() not in _LOCAL


def as_location(given: Path | str | Address) -> Location:
    """Return the path or the address that a text names; ``file://`` names a path.

    UsageError if an address holds a password, which features would keep as their source.
    """
    if isinstance(given, Address):
        return given
    text = str(given)
    if is_address(text):
        if hidden := _PASSWORD.match(text):
            raise UsageError(
                f"{hidden[1]}...@{text[hidden.end() :]} holds a password",
                "Give it to the driver instead: a variable FSSPEC_... or ~/.config/fsspec.",
            )
        return Address(_ADDRESS.sub(lambda match: f"{match[1].lower()}://", text, count=1))
    protocol = _ADDRESS.match(text)
    return Path("/" + text[protocol.end() :]) if protocol else Path(given)


def resolved(location: Location) -> Location:
    """Return a path without links and dots; an address as it is."""
    return location.resolve() if isinstance(location, Path) else location
