#!/usr/bin/env bash
# Make the virtual environment .venv hold exactly what the lock file says, and the project itself.
#
# It needs Python 3.11 or later with either `ensurepip` (Debian: python3-venv) or pip 22.3 or later.
# Run again, it does nothing unless a lock, the project file, the Python or the folder has changed:
# a virtual environment does not survive a move, so the folder's path is part of its stamp.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=.venv
stamp=$venv/mingzhang.stamp

fail() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}

find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or later is needed; install it, or name it: make setup PYTHON=/path/to/python3"
}

# What the environment was made from. `env -u` keeps a caller's own environment out of the answer.
wanted() {
    printf 'folder %s\n' "$PWD"
    env -u PYTHONPATH -u PYTHONHOME "$python" -c 'import sys; print("python", sys.version, sys.prefix)'
    sha256sum requirements-dev.lock pyproject.toml
}

python=$(find_python)
wanted=$(wanted)
if [[ -f $stamp && $(<"$stamp") == "$wanted" ]] && $venv/bin/python -c 'import hatchling' 2>/dev/null; then
    exit 0
fi

printf 'setup: making %s with %s (half a minute, once)\n' "$venv" "$("$python" --version)"
rm -rf "$venv"
if "$python" -c 'import ensurepip' 2>/dev/null && "$python" -m venv "$venv" >/dev/null 2>&1; then
    pip=("$venv/bin/python" -m pip)
elif "$python" -m pip --version >/dev/null 2>&1; then
    # Debian keeps ensurepip in a package of its own; the system's pip can fill an environment too.
    rm -rf "$venv"
    "$python" -m venv --without-pip "$venv"
    pip=("$python" -m pip --python "$venv/bin/python")
else
    fail "neither ensurepip nor pip is there; on Debian: apt-get install python3-venv"
fi

install=("${pip[@]}" install --quiet --disable-pip-version-check --no-input)
"${install[@]}" --require-hashes --only-binary :all: -r requirements-dev.lock
"${install[@]}" --no-deps --no-build-isolation --editable .
printf '%s\n' "$wanted" >"$stamp"
