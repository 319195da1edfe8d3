"""What the drivers of addresses raise, in words: what happened, where, what to do next."""

from __future__ import annotations

import difflib

from avloc.artifacts.address import Address
from avloc.errors import AddressError, AvlocError, DependencyError, UsageError

_EXTRAS = {"s3": "s3", "s3a": "s3"}
"""Extras of avloc that install a protocol's driver."""
_PACKAGES = {"sftp": "paramiko", "ssh": "paramiko", "http": "aiohttp", "https": "aiohttp"}
"""Packages that fsspec's own drivers need."""
_CREDENTIALS = {
    "s3": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; FSSPEC_S3_ANON=true"
    " for a public bucket.",
    "gs": "Run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS.",
    "az": "Set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY.",
}
_USUAL = ("s3", "gs", "az", "abfs", "gcs", "http", "https", "sftp", "ssh", "hf", "memory")
_SAME = {"s3a": "s3", "gcs": "gs", "abfs": "az", "abfss": "az"}
_UNREACHED = ("Connect", "Timeout", "Endpoint", "Disconnected", "Payload", "gaierror")


def missing_driver(address: Address) -> AvlocError:
    """Return the error of a protocol whose driver is not installed."""
    from fsspec.registry import known_implementations

    protocol = address.protocol
    package = _PACKAGES.get(protocol)
    if package is None:
        package = str(known_implementations.get(protocol, {}).get("class", "")).partition(".")[0]
    extra = f", or with the extra avloc[{_EXTRAS[protocol]}]" if protocol in _EXTRAS else ""
    return DependencyError(
        f"{address} needs the package {package}, which is not installed",
        f"Install it: pip install {package}{extra}.",
    )


def in_words(address: Address, error: Exception) -> AvlocError:
    """Return what a driver's error means; `AddressError`, or `UsageError` of the protocol."""
    from fsspec.registry import known_implementations

    protocol = _SAME.get(address.protocol, address.protocol)
    name, said = type(error).__name__, " ".join(str(error).split()) or type(error).__name__
    if address.protocol not in known_implementations:
        near = difflib.get_close_matches(address.protocol, _USUAL, 1, 0.5)
        hint = f"Did you mean {near[0]}://?" if near else "Known are s3://, gs://, az:// and more."
        return UsageError(f"{address}: there is no protocol {address.protocol}://", hint)
    credentials = _CREDENTIALS.get(protocol, "Check the credentials of that store.")
    if "Credential" in name or "Credential" in said:
        return AddressError(f"{address} needs credentials, and there are none", credentials)
    if isinstance(error, PermissionError):
        return AddressError(
            f"{address} is refused: {said:.200}", f"{credentials[:-1]} of a user who may."
        )
    if isinstance(error, FileNotFoundError):
        what = "bucket" if _is_of_bucket(error) else "object"
        return AddressError(f"there is no such {what}: {address}", "Check the address.")
    if isinstance(error, ConnectionError | TimeoutError) or any(w in name for w in _UNREACHED):
        return AddressError(
            f"{address} cannot be reached: {said:.200}",
            "Check the network and the endpoint, and run it again: what is done is kept.",
        )
    return AddressError(f"{address} cannot be used: {said:.200}", "Check the address.")


def refuse_missing_bucket(error: FileNotFoundError) -> None:
    """Raise an error again if it says that a bucket is missing, and not an object in it."""
    if _is_of_bucket(error):
        raise error


def _is_of_bucket(error: FileNotFoundError) -> bool:
    said = str(error).lower()
    return "bucket" in said and "exist" in said
