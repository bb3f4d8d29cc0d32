"""Make the environment that the gate runs in: what the lock file names, and mlgate beside it.

mlgate itself is the checkout of the action: nothing is built, and what was pinned is what runs.
"""

# ruff: noqa: INP001, S603 - a script beside the others, and pip with a list of arguments

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import prepare
import workflow

ACTION = Path(__file__).resolve().parents[2]
_OURS = re.compile(r"mlgate\[([\w,\s-]+)\]")


class InstallError(Exception):
    """The environment cannot be made."""


def main() -> int:
    """Make ``$RUNNER_TEMP/mlgate-venv``; return 0, or 2 where that fails."""
    try:
        extras = [name.strip() for name in os.environ.get("MLGATE_EXTRAS", "").split(",") if name.strip()]
        install(Path(os.environ["RUNNER_TEMP"]), requirements(extras))
    except (InstallError, OSError) as error:
        workflow.command("error", f"mlgate could not be installed: {error}", title="mlgate")
        return 2
    return 0


def requirements(extras: list[str]) -> list[str]:
    """Return what the named extras of mlgate require.

    Raises:
        InstallError: There is no such extra.
    """
    with (ACTION / "pyproject.toml").open("rb") as file:
        known: dict[str, list[str]] = tomllib.load(file)["project"]["optional-dependencies"]
    found: dict[str, None] = {}
    pending, seen = list(extras), set[str]()
    while pending:
        extra = pending.pop()
        if extra not in known:
            raise InstallError(f"extras: {extra!r} is none of {', '.join(sorted(known))}")
        if extra in seen:
            continue
        seen.add(extra)
        for requirement in known[extra]:
            ours = _OURS.match(requirement)
            if ours:
                pending += [name.strip() for name in ours[1].split(",")]
            else:
                found[requirement] = None
    return list(found)


def install(temporary: Path, extra: list[str]) -> None:
    """Make the environment.

    Raises:
        InstallError: A step of it fails.
    """
    environment = temporary / "mlgate-venv"
    stamp = environment / "mlgate-installed"
    wanted = "\n".join([sys.version, str(ACTION), prepare.digest(prepare.LOCK), *extra])
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return  # an earlier step of this job made it
    # -I, and a folder of the runner's: nothing of the workspace is imported.
    _run([sys.executable, "-I", "-m", "venv", "--clear", str(environment)], temporary)
    pip = [str(environment / "bin/python"), "-I", "-m", "pip", "--quiet", "--no-input"]
    pip += ["--disable-pip-version-check", "--no-cache-dir"]
    locked = ["--no-deps", "--only-binary=:all:", "--require-hashes", f"--requirement={prepare.LOCK}"]
    wheels = temporary / "mlgate-wheels"
    # Where the cache holds them all, and each is the one that the lock file names, this keeps them.
    _run([*pip, "download", f"--dest={wheels}", f"--find-links={wheels}", *locked], temporary)
    _run([*pip, "install", "--no-index", f"--find-links={wheels}", *locked], temporary)
    if extra:
        # No digest names these, so they do not come from a cache that others may write to.
        _run([*pip, "install", *extra], temporary)
    version = "python{}.{}".format(*sys.version_info)
    place = environment / "lib" / version / "site-packages/mlgate.pth"
    place.write_text(f"{ACTION / 'src'}\n", encoding="utf-8")
    stamp.write_text(wanted, encoding="utf-8")


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        what = " ".join(command[2:6])
        raise InstallError(f"`{what} ...` ended with code {done.returncode}; the lines above say why")


if __name__ == "__main__":
    sys.exit(main())
