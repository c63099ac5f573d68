# syntax=docker/dockerfile:1
# One distribution, two images: `stream` (the services) and `ml` (MLServer, monitor, training, MLflow).
# The command picks the process. Libraries are in /opt/venv, a layer that changes with the lock only;
# our code is in /app, the last layer, so that a changed line costs seconds.

FROM python:3.11-slim AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin app
WORKDIR /app

FROM base AS uv
COPY requirements/uv.txt requirements/uv.txt
RUN --mount=type=cache,target=/tmp/.cache/pip \
    pip install --quiet --require-hashes --target /opt/uv -r requirements/uv.txt

# ---------------------------------------------------------------- libraries, by lock and hash
FROM base AS stream-libraries
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/usr/local/bin/uv \
    --mount=type=bind,source=requirements/stream.txt,target=/run/stream.txt \
    --mount=type=cache,target=/tmp/.cache/uv \
    uv venv --quiet --python /usr/local/bin/python3 /opt/venv && \
    UV_LINK_MODE=copy VIRTUAL_ENV=/opt/venv \
    uv pip install --quiet --compile-bytecode --no-deps --require-hashes -r /run/stream.txt && \
    find /opt/venv -type d -name tests -path '*/numpy/*' -prune -exec rm -rf {} +

FROM base AS ml-libraries
RUN --mount=type=bind,from=uv,source=/opt/uv/bin/uv,target=/usr/local/bin/uv \
    --mount=type=bind,source=requirements/ml.txt,target=/run/ml.txt \
    --mount=type=cache,target=/tmp/.cache/uv \
    uv venv --quiet --python /usr/local/bin/python3 /opt/venv && \
    UV_LINK_MODE=copy VIRTUAL_ENV=/opt/venv \
    uv pip install --quiet --compile-bytecode --no-deps --require-hashes -r /run/ml.txt

# ---------------------------------------------------------------- our code, as one wheel
FROM uv AS code
COPY requirements/dev.txt requirements/dev.txt
COPY . .
RUN --mount=type=cache,target=/tmp/.cache/uv \
    /opt/uv/bin/uv build --quiet --wheel --python /usr/local/bin/python3 \
        --build-constraints requirements/dev.txt --require-hashes --out-dir /wheels . && \
    UV_LINK_MODE=copy /opt/uv/bin/uv pip install --quiet --compile-bytecode --no-deps \
        --python /usr/local/bin/python3 --target /code /wheels/*.whl

# ---------------------------------------------------------------- the images
FROM stream-libraries AS stream
RUN install -d -o app -g app /capture
COPY --from=code /code /app
USER 10001:10001
STOPSIGNAL SIGTERM
CMD ["python", "-m", "adapter"]
ARG REVISION=unknown
LABEL org.opencontainers.image.title="crypto-volatility stream" \
      org.opencontainers.image.description="Ingestor, featurizer, scorer, adapter and simulator" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim"

FROM ml-libraries AS ml
RUN install -d -o app -g app /artifacts
COPY --from=code /code /app
USER 10001:10001
STOPSIGNAL SIGTERM
CMD ["mlserver", "start", "/models"]
ARG REVISION=unknown
LABEL org.opencontainers.image.title="crypto-volatility ml" \
      org.opencontainers.image.description="MLServer, monitor, drift, training and MLflow" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11-slim"
