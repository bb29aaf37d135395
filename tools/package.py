"""``make package STAGE=dev``: the template and the packages of a stage, in ``build/<stage>/``.

``sam.json`` refers to ``app.zip`` (ours), ``layer.zip`` (third-party code) and to the layers of
single functions.  Two runs over the same source make the same bytes.  ``--template`` writes the
template alone.
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path

from tools.aws import application, archive, layers, template, wheels
from tools.aws.stages import ARCHITECTURE, BUILD, PYTHON, Stage, Trouble, stage

LARGEST_ZIP = 25_000_000
LARGEST_UNZIPPED = 250_000_000  # Lambda's own limit, of a function with its layers


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make package", description=__doc__)
    parser.add_argument("stage")
    parser.add_argument("--template", action="store_true", help="the template alone")
    options = parser.parse_args()
    try:
        chosen = stage(options.stage)
        written = [template.write(chosen)]
        if not options.template:
            written += packages(chosen)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    for path in written:
        size = f"{path.stat().st_size / 1_000_000:6.2f} MB"
        print(f"{size}  {archive.digest(path)[:16]}  {path.relative_to(BUILD.parent)}")
    return 0


def packages(chosen: Stage, build: Path = BUILD) -> list[Path]:
    """Write the zips of a stage; where they are.  :class:`Trouble` if one is not fit for Lambda."""
    directory = build / chosen.name
    ours, theirs = directory / "app", directory / "layer"
    application.gather(ours)
    wheels.layer(theirs)
    extras = {name: directory / f"layer-{name}" for name in layers.all_layers()}
    for name, place in extras.items():
        wheels.extra_layer(layers.lock_file(name), place)
    if application.compiles():
        application.compile_all(ours, "/var/task/")
        for place in (theirs, *extras.values()):
            application.compile_all(place, "/opt/python/")
    else:
        print(f"without bytecode: this is not Python {PYTHON} (cold starts will be slower)")
    if _like_lambda():
        libraries = [
            library.replace("-", "_")
            for name in extras
            for library in wheels.asked_for(layers.lock_file(name).with_suffix(".in"))
        ]
        everything = [theirs, *extras.values()]
        missing = application.check(ours, everything, wheels.SERVICES, libraries)
        if missing is not None:
            raise Trouble(f"The packages cannot be imported:\n{missing}")
    return _zipped(directory, {"app.zip": ours, "layer.zip": theirs}, extras)


def _zipped(directory: Path, own: dict[str, Path], extras: dict[str, Path]) -> list[Path]:
    written = []
    sources = own | {layers.archive(name): place for name, place in extras.items()}
    for name, place in sources.items():
        path = directory / name
        archive.write(path, place, "" if name == "app.zip" else "python/")
        size = path.stat().st_size
        if size > LARGEST_ZIP and name in own:
            raise Trouble(f"{path} has {size:,} bytes; {LARGEST_ZIP:,} is the most.")
        written.append(path)
    unzipped = sum(_size(place) for place in sources.values())
    if unzipped > LARGEST_UNZIPPED:
        raise Trouble(f"Unzipped it is {unzipped:,} bytes; Lambda takes {LARGEST_UNZIPPED:,}.")
    return written


def _size(directory: Path) -> int:
    return sum(file.stat().st_size for file in directory.rglob("*") if file.is_file())


def _like_lambda() -> bool:
    return (
        application.compiles()
        and sys.platform == "linux"
        and platform.machine() == ARCHITECTURE
        and platform.libc_ver()[0] == "glibc"
    )


if __name__ == "__main__":
    sys.exit(main())
