# avloc in a container: docker run --rm -v "$PWD:/data" avloc localize clip.mp4 --heatmap
FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/venv && /opt/venv/bin/python -m pip install --no-cache-dir uv
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN /opt/venv/bin/uv pip sync --no-cache --python /opt/venv/bin/python requirements.lock
COPY avloc avloc
COPY pipelines pipelines
RUN /opt/venv/bin/uv pip install --no-cache --python /opt/venv/bin/python \
        --no-deps --no-build-isolation .

FROM python:3.11-slim
COPY --from=build /opt/venv /opt/venv
RUN useradd --create-home --uid 1000 avloc && mkdir /data && chown avloc /data
ENV PATH=/opt/venv/bin:$PATH
USER avloc
WORKDIR /data
ENTRYPOINT ["avloc"]
