"""Third-party code as Lambda needs it: wheels for its Python and machine, and of them what is used.

The versions and hashes are those of ``requirements.txt``; the wheels are downloaded once, into
``build/wheels``, and no code of theirs is run.  Chalice is a tool when it packages and two modules
when it runs (:mod:`tools.aws.application` takes them), so that what only the tool needs (pip,
setuptools, click, ...) stays away; boto3 is not imported by anything.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement

from tools.aws.stages import ARCHITECTURE, BUILD, PYTHON, ROOT, Trouble

WHEELS = BUILD / "wheels"
LOCK = ROOT / "requirements.txt"
WANTED = ROOT / "requirements.in"
NOT_IN_LAMBDA = frozenset({"chalice", "boto3"})
#: AWS services whose descriptions botocore is left with.
SERVICES = frozenset({"dynamodb", "s3", "secretsmanager", "sqs", "sts"})
#: Lambda's Python 3.11 runs on Amazon Linux 2, which has glibc 2.26.
PLATFORMS = tuple(
    f"{name}_{ARCHITECTURE}"
    for name in ("manylinux2014", "manylinux_2_17", "manylinux_2_24", "manylinux_2_26")
)
MARKERS = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": ARCHITECTURE,
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
    "extra": "",
}
PATIENCE_SECONDS = 900
_DROPPED = re.compile(
    r"""(^|/)tests?/ | (^|/)__pycache__/ | \.(pyi|pyx|pxd|c|h|pyc)$ | (^|/)py\.typed$
    | \.dist-info/(RECORD|WHEEL|INSTALLER|REQUESTED|top_level\.txt|entry_points\.txt)$
    | ^botocore/data/(?!(SERVICES)/)[^/]+/ | /examples-1\.json$ | (^|/)sboms/
    | /(paginators|waiters)-[12]\.(sdk-extras\.)?json$ | ^bin/""".replace(
        "SERVICES", "|".join(sorted(SERVICES))
    ),
    re.VERBOSE,
)


def layer(directory: Path) -> None:
    """Put what all functions need into ``directory``, which becomes Lambda's ``/opt/python``."""
    _unpack(download(LOCK, needed()), directory)


def extra_layer(lock: Path, directory: Path) -> None:
    """The same for a layer of single functions: what its own lock file names and ours does not."""
    ours = needed()
    names = sorted(name for name in _pins(lock) if name not in ours) if lock.exists() else []
    _unpack(download(lock, names), directory)


@cache
def needed() -> tuple[str, ...]:
    """The distributions that the functions need, in order: requirements.in and what follows."""
    todo = [name for name in asked_for(WANTED) if name not in NOT_IN_LAMBDA]
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        todo.extend(_requires(name))
    return tuple(sorted(seen))


def asked_for(file: Path) -> list[str]:
    """The distributions that a ``requirements*.in`` names."""
    lines = file.read_text("utf-8").splitlines()
    return [
        _normal(Requirement(line).name)
        for line in lines
        if line and not line.startswith(("#", "-"))
    ]


def _requires(name: str) -> Iterator[str]:
    for text in importlib.metadata.requires(name) or ():
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate(MARKERS):
            yield _normal(wanted.name)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pins(lock: Path) -> dict[str, str]:
    """Distribution -> its lines of the lock file, hashes and all."""
    found: dict[str, str] = {}
    text = lock.read_text("utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        match = re.match(r"([A-Za-z0-9_.-]+)==", line)
        if match:
            found[_normal(match[1])] = line
    return found


def download(lock: Path, names: Iterable[str]) -> list[Path]:
    """The wheels of ``names``; what is not there yet is downloaded, with its hash checked."""
    if not lock.exists():
        raise Trouble(f"There is no {lock.name}: run `make lock`.")
    WHEELS.mkdir(parents=True, exist_ok=True)
    pins = _pins(lock)
    unknown = sorted(set(names) - set(pins))
    if unknown:
        raise Trouble(f"{lock.name} does not have {', '.join(unknown)}: run `make lock`.")
    pinned = {name: pins[name] for name in sorted(names)}
    missing = {name: line for name, line in pinned.items() if _kept(name, line) is None}
    if missing:
        wanted = WHEELS / "wanted.txt"
        wanted.write_text("\n".join(missing.values()) + "\n", "utf-8")
        _pip(wanted)
    found = {name: _kept(name, line) for name, line in pinned.items()}
    lost = [name for name, path in found.items() if path is None]
    if lost:
        raise Trouble(f"No wheel for Lambda was found of {', '.join(lost)}.")
    return [path for path in found.values() if path is not None]


def _kept(name: str, line: str) -> Path | None:
    """The wheel of a pin that was downloaded before, if its hash is one of the lock file's."""
    from tools.aws.archive import digest

    version = re.split(r"[\s;]", line.partition("==")[2], maxsplit=1)[0]
    for path in sorted(WHEELS.glob("*.whl")):
        distribution, found = path.name.split("-")[:2]
        if _normal(distribution) == name and found == version and digest(path) in line:
            return path
    return None


def _pip(wanted: Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(WHEELS)]
    command += ["--python-version", PYTHON, "--implementation", "cp"]
    for abi in (f"cp{PYTHON.replace('.', '')}", "abi3", "none"):
        command += ["--abi", abi]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    done = subprocess.run(
        [*command, "-r", str(wanted)], capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        raise Trouble("The wheels could not be downloaded:\n" + "\n".join(lines[-8:]))


def _unpack(wheels: Iterable[Path], directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as zipped:
            for entry in zipped.infolist():
                name = _place(entry.filename)
                if entry.is_dir() or name is None:
                    continue
                path = directory / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(zipped.read(entry))


def _place(name: str) -> str | None:
    """Where a wheel's file goes; ``None`` for what no function needs."""
    data = re.match(r"[^/]+\.data/(purelib|platlib)/(.+)", name)
    if data:
        name = data[2]
    elif re.match(r"[^/]+\.data/", name):
        return None
    return None if ".." in name.split("/") or _DROPPED.search(name) else name
