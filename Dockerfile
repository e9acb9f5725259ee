# docker build -t ganbench .
# docker run --gpus all -v "$PWD:/workspace" -v ganbench-cache:/cache ganbench run suites/losses.yaml
FROM nvidia/cuda:12.8.1-runtime-ubuntu24.04

RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv git \
    && rm -rf /var/lib/apt/lists/*

ENV PATH=/opt/ganbench/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PIP_NO_CACHE_DIR=1 \
    GANBENCH_CACHE=/cache \
    MLFLOW_DISABLE_TELEMETRY=true

WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY ganbench ganbench
RUN python3 -m venv /opt/ganbench && pip install .

# The image's own user 1000 gives way, so that files written to a mounted folder belong to the usual first user.
RUN userdel --remove ubuntu && useradd --create-home --uid 1000 ganbench \
    && mkdir -p /workspace /cache && chown ganbench:ganbench /workspace /cache
COPY --chown=ganbench:ganbench suites /workspace/suites
USER ganbench
WORKDIR /workspace

ENTRYPOINT ["ganbench"]
CMD ["--help"]
