# docker build -t avloc .    How to run it: docs/install.md
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/venv && /opt/venv/bin/python -m pip install --no-cache-dir uv
COPY requirements.lock ./
RUN /opt/venv/bin/uv pip sync --no-cache --python /opt/venv/bin/python requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY avloc avloc
COPY pipelines pipelines
RUN /opt/venv/bin/uv pip install --no-cache --python /opt/venv/bin/python --no-deps .

FROM python:3.11-slim
COPY --from=build /opt/venv /opt/venv
# Any user id may run it: nothing needs a home of its own or a line in /etc/passwd.
ENV PATH=/opt/venv/bin:$PATH HOME=/tmp USER=avloc \
    AVLOC_CACHE=/cache MPLCONFIGDIR=/tmp/matplotlib NUMBA_CACHE_DIR=/tmp/numba
RUN mkdir -m 1777 /cache /data
VOLUME /cache
USER 1000
WORKDIR /data
ENTRYPOINT ["avloc"]
