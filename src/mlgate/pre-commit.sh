#!/bin/sh
# Git hook: no commit with a model file that would run code, or that could not be read.
#
#   mlgate init --hook
#
# puts it in place. It looks at the staged blobs, which is what the commit would hold, and
# not at the working tree. MLGATE names the program where it is not on PATH:
#   MLGATE=.venv/bin/mlgate git commit
set -u

# Where `mlgate init --hook` found the program; used where it is not on PATH.
installed=
mlgate=${MLGATE:-mlgate}
if [ -z "${MLGATE:-}" ] && [ -x "$installed" ] && ! command -v mlgate >/dev/null 2>&1; then
    mlgate=$installed
fi
if ! command -v "$mlgate" >/dev/null 2>&1; then
    echo "pre-commit: $mlgate is not installed, so the staged model files cannot be checked." >&2
    echo "Install it (pip install mlgate), or set MLGATE to its path." >&2
    exit 2
fi

"$mlgate" check --staged --checks models,dependencies --offline --quiet >&2
code=$?

case $code in
    0) ;;
    1) echo "pre-commit: blocked by mlgate. Fix what stands above, or waive it for a time: \`mlgate explain RULE\` shows how." >&2 ;;
    *)
        echo "pre-commit: mlgate could not check all that is staged, so nothing was committed. Above stands why." >&2
        echo "Where CI will check it (a policy that wants fresh advisories, say), \`git commit --no-verify\` leaves it to CI." >&2
        ;;
esac
exit "$code"
