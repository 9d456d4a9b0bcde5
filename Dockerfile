# syntax=docker/dockerfile:1
# Two images:
#   docker build --target slim -t judge-server:slim .    reaches judges over HTTP; no engine inside, no graphics card needed
#   docker build -t judge-server .                       vLLM for CUDA inside: docker run --gpus all --init --shm-size 8g …
# Both listen on all addresses, so they want an API key before they start: see docs/security.md, "Containers".
# deploy/prove_dockerfile.py carries these steps out where no container engine runs.
# RELEASE: the base by its digest, which only a machine with a registry knows: make image BASE_IMAGE=…@sha256:… refuses a tag.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
RUN python -m pip install --no-cache-dir --disable-pip-version-check uv==0.13.8
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
WORKDIR /src
COPY requirements requirements
RUN uv venv /opt/judge-server

# The locked packages come before our code, so that an edit of the code does not install them anew.
FROM build AS slim-environment
RUN --mount=type=cache,target=/root/.cache/uv uv pip install --python /opt/judge-server/bin/python --no-deps --require-hashes --requirements requirements/server.lock
COPY pyproject.toml CHANGELOG.md LICENSE ./
COPY docs docs
COPY rubrics rubrics
COPY judge_server judge_server
RUN uv build --wheel --out-dir /dist \
    && uv pip install --python /opt/judge-server/bin/python --no-deps /dist/*.whl

FROM build AS cuda-environment
RUN --mount=type=cache,target=/root/.cache/uv uv pip install --python /opt/judge-server/bin/python --no-deps --require-hashes --requirements requirements/vllm.lock
COPY pyproject.toml CHANGELOG.md LICENSE ./
COPY docs docs
COPY rubrics rubrics
COPY judge_server judge_server
RUN uv build --wheel --out-dir /dist \
    && uv pip install --python /opt/judge-server/bin/python --no-deps /dist/*.whl

FROM ${PYTHON_IMAGE} AS runtime
LABEL org.opencontainers.image.title="judge-server" \
    org.opencontainers.image.description="Scores responses against expert rubrics with a judge model" \
    org.opencontainers.image.licenses="Apache-2.0 AND CC-BY-4.0"
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/judge-server judge
ENV PATH=/opt/judge-server/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1 LITELLM_LOCAL_MODEL_COST_MAP=True VLLM_NO_USAGE_STATS=1
WORKDIR /var/lib/judge-server
EXPOSE 8000
VOLUME /var/lib/judge-server
# Bash opens the connection itself: starting Python every ten seconds would cost more than the server when idle.
HEALTHCHECK --interval=10s --timeout=3s --start-period=300s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8000 && printf 'GET /healthz HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && [ \"$status\" = 200 ]"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["judge-server"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]

FROM runtime AS slim
COPY --from=slim-environment /opt/judge-server /opt/judge-server
USER 10001

# The last stage is the default. Triton compiles its launchers where it runs, hence the C compiler.
FROM runtime AS cuda
# Debian's archive keeps one version of a package, so a pinned one is soon gone.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=cuda-environment /opt/judge-server /opt/judge-server
USER 10001
