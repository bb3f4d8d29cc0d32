# The digest that `docker buildx imagetools inspect python:3.13-slim` shows; renew both together.
ARG BASE=python:3.13-slim@sha256:8bc60ca09afaa8ea0d6d1220bde073bacfedd66a4bf8129cbdc8ef0e16c8a952

# hadolint ignore=DL3006
FROM ${BASE} AS build
WORKDIR /src
COPY .github/build/requirements.txt ./build.txt
COPY scripts/action/requirements.txt ./mlgate.txt
# What is installed is held against its digest; pip itself does not come along.
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes --only-binary=:all: --requirement build.txt \
    && python -m venv --without-pip /opt/mlgate \
    && /opt/build/bin/pip --python /opt/mlgate/bin/python install --no-cache-dir --no-compile --no-deps \
        --require-hashes --only-binary=:all: --requirement mlgate.txt
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN /opt/build/bin/python -m build --no-isolation --wheel --outdir /tmp/wheel \
    && /opt/build/bin/pip --python /opt/mlgate/bin/python install --no-cache-dir --no-index --no-deps /tmp/wheel/*.whl \
    && /opt/mlgate/bin/python -m compileall -q /opt/mlgate/lib

# hadolint ignore=DL3006
FROM ${BASE}
LABEL org.opencontainers.image.title="mlgate" \
      org.opencontainers.image.description="Gates model files, dependencies and robustness by one policy." \
      org.opencontainers.image.licenses="Apache-2.0"
# git tells mlgate which files belong to the repository. Debian moves its version on.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
    && git config --system --add safe.directory /repository \
    && install --directory --owner=65532 --group=65532 --mode=700 /cache
COPY --from=build /opt/mlgate /opt/mlgate
# A volume at /cache keeps the advisories for a day.
ENV PATH=/opt/mlgate/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/cache
WORKDIR /repository
USER 65532:65532
ENTRYPOINT ["mlgate"]
CMD ["check"]
