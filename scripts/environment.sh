#!/bin/sh
# Make the virtual environment and install mlgate into it, editable.
#
#   scripts/environment.sh VENV EXTRA
#
# Needs Python 3.11 or newer and a package index, nothing else. uv is used where it
# is on PATH; where it is not, or where it fails (it does not read pip's own
# configuration of mirrors), venv and pip do the same.
set -eu

venv=$1
extra=$2
log=$(mktemp)
trap 'rm -f "$log"' EXIT

say() { printf '%s\n' "$*" >&2; }

# A name on PATH is not yet an interpreter: pyenv leaves shims that fail when run.
suitable() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for name in ${PYTHON:-} python3.13 python3.12 python3.11 python3.14 python3 python; do
        if suitable "$name"; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    say "mlgate needs Python 3.11 or newer, and none was found on PATH."
    say "Install one, or name it: make PYTHON=/path/to/python3.12 ..."
    exit 1
}

# Show what a step printed only where the step failed.
quietly() {
    if ! "$@" >"$log" 2>&1; then
        cat "$log" >&2
        return 1
    fi
}

have_uv() { [ -z "${MLGATE_NO_UV:-}" ] && command -v uv >/dev/null 2>&1; }

create() {
    python=$(find_python)
    say "Making $venv with $("$python" -V) ($python)"
    if have_uv && uv venv --quiet --seed --clear --no-python-downloads --python "$python" "$venv" 2>/dev/null
    then
        return
    fi
    if ! quietly "$python" -m venv --clear "$venv"; then
        say "The venv module failed. On Debian and Ubuntu: apt install python3-venv"
        exit 1
    fi
}

install() {
    say "Installing mlgate[$extra] into $venv (once; a minute or two)"
    if have_uv && uv pip install --quiet --python "$venv/bin/python" --editable ".[$extra]" 2>"$log"; then
        return
    fi
    if ! quietly "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable ".[$extra]"
    then
        say "The installation failed; the lines above say why. Run make again to try once more."
        exit 1
    fi
}

suitable "$venv/bin/python" || create
install
touch "$venv/.mlgate-$extra"
