#!/bin/sh
# Lint what meets other people's machines: workflows, the Action, the Dockerfile, shell scripts.
#
#   scripts/lint_surface.sh BIN
#
# BIN is the folder of an environment with the extra `dev`. Needs no network.
set -eu

cd "$(dirname "$0")/.."
bin=$1
examples=$(mktemp -d)
trap 'rm -rf "$examples"' EXIT

# In the examples a word stands for the commit that their reader chooses.
for example in docs/examples/github-*.yml; do
    sed 's/@COMMIT/@0000000000000000000000000000000000000000/' "$example" > "$examples/${example##*/}"
done

"$bin/zizmor" --quiet --offline --persona=auditor action.yml .github "$examples"/*.yml
"$bin/actionlint" -shellcheck "$bin/shellcheck" .github/workflows/*.yml "$examples"/*.yml
"$bin/check-jsonschema" --builtin-schema vendor.github-workflows .github/workflows/*.yml "$examples"/*.yml
"$bin/check-jsonschema" --builtin-schema vendor.github-actions action.yml
"$bin/check-jsonschema" --builtin-schema vendor.dependabot .github/dependabot.yml
"$bin/check-jsonschema" --builtin-schema vendor.gitlab-ci docs/examples/gitlab-ci.yml
"$bin/mypy" --no-error-summary scripts/action
"$bin/hadolint" Dockerfile
"$bin/shellcheck" hooks/pre-commit scripts/*.sh .ci/run
