# The digest that `docker buildx imagetools inspect python:3.13-slim` shows; renew both together.
ARG BASE=python:3.13-slim@sha256:8bc60ca09afaa8ea0d6d1220bde073bacfedd66a4bf8129cbdc8ef0e16c8a952

# hadolint ignore=DL3006
FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN python -m venv /opt/mlgate \
    && /opt/mlgate/bin/pip install --no-cache-dir --no-compile ".[assess]"

# hadolint ignore=DL3006
FROM ${BASE}
# git tells mlgate which files belong to the repository. Debian moves its version on.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && git config --system --add safe.directory /repository
COPY --from=build /opt/mlgate /opt/mlgate
ENV PATH=/opt/mlgate/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
WORKDIR /repository
USER 65532:65532
ENTRYPOINT ["mlgate"]
CMD ["check"]
