"""A server on this machine that answers as the hub does, for a folder ``ORG/NAME`` each model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import pytest
from tiny_hub import COMMIT


class HubServer:
    """Serves the models under ``root``; ``requests`` lists what was asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.requests: list[str] = []
        self.gated: set[str] = set()
        self.is_broken = False
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[HubServer]:
        thread = Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def downloads(self) -> list[str]:
        return [line.rpartition("/")[2] for line in self.requests if line.startswith("GET /tiny/")]


def use_hub(url: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send every request of the hub's package to ``url``, and keep files in ``cache``."""
    constants = pytest.importorskip("huggingface_hub").constants
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = unquote(self.path).partition("?")[0]
        self.hub.requests.append(f"{self.command} {path}")
        parts = path.strip("/").split("/")
        if self.hub.is_broken:
            return self._answer(500, {}, b"")
        if parts[:2] == ["api", "models"]:
            return self._about("/".join(parts[2:4]), parts[4:])
        return self._file("/".join(parts[:2]), parts[3] if len(parts) > 3 else "", parts[4:])

    def _about(self, model: str, rest: list[str]) -> None:
        folder = self.hub.root / model
        if not folder.is_dir():
            return self._refuse(404, "RepoNotFound")
        if rest[:1] == ["tree"]:
            return self._json([_entry(path) for path in sorted(folder.iterdir())])
        if rest[:1] == ["revision"] and rest[1] not in ("main", COMMIT):
            return self._refuse(404, "RevisionNotFound")
        names = [{"rfilename": path.name} for path in sorted(folder.iterdir())]
        return self._json({"id": model, "modelId": model, "sha": COMMIT, "siblings": names})

    def _file(self, model: str, revision: str, rest: list[str]) -> None:
        path = self.hub.root / model / "/".join(rest)
        if model in self.hub.gated:
            return self._refuse(403, "GatedRepo")
        if not path.is_file():
            return self._refuse(404, "EntryNotFound")
        headers = {"ETag": f'"{_digest(path)}"', "X-Repo-Commit": COMMIT}
        return self._answer(200, headers, path.read_bytes())

    def _json(self, content: object) -> None:
        self._answer(200, {"Content-Type": "application/json"}, json.dumps(content).encode())

    def _refuse(self, code: int, word: str) -> None:
        self._answer(code, {"X-Error-Code": word, "X-Error-Message": word}, b"{}")

    def _answer(self, code: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(code)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


def _entry(path: Path) -> dict[str, object]:
    return {
        "type": "file",
        "path": path.name,
        "size": path.stat().st_size,
        "oid": _digest(path)[:40],
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
