"""The application's own package: ``app.py``, ``chalicelib/``, Chalice's modules for Lambda."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
from pathlib import Path

from tools.aws.stages import PYTHON, ROOT

PATIENCE_SECONDS = 300
#: The same hashes in every process: sets of constants are written in their order.
STEADY = {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}

#: Bytecode that trusts its name, not a time stamp: Lambda cannot write any, and would compile
#: everything anew for each container.
_COMPILE = """
import pathlib, py_compile, sys
root = pathlib.Path(sys.argv[1])
for path in sorted(root.rglob("*.py")):
    py_compile.compile(
        str(path),
        dfile=sys.argv[2] + path.relative_to(root).as_posix(),
        doraise=False,
        quiet=2,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
"""

#: Everything that a function may import, from the packages alone.
_IMPORT = """
import importlib, os, pkgutil, sys
sys.path[:0] = sys.argv[1:]
os.environ.update(BACKBONE_STAGE="check", BACKBONE_TABLE="check", BACKBONE_QUEUE_PREFIX="check",
                  AWS_REGION="eu-west-2", AWS_DEFAULT_REGION="eu-west-2")
import app, chalicelib
for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
    importlib.import_module(module.name)
import cryptography.hazmat.primitives.asymmetric.ec, gocardless_pro, holidays
import botocore.session
from tools_services import LIBRARIES, SERVICES
for name in LIBRARIES:
    importlib.import_module(name)
for name in SERVICES:
    botocore.session.get_session().create_client(name, region_name="eu-west-2")
strange = [m.__file__ for m in list(sys.modules.values()) if "site-packages" in str(
    getattr(m, "__file__", None))]
assert not strange, strange[:3]
"""


def gather(directory: Path) -> None:
    """Put the package's files into ``directory``, which becomes Lambda's ``/var/task``."""
    import chalice
    import chalice.app

    if directory.exists():
        shutil.rmtree(directory)
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(ROOT / "chalicelib", directory / "chalicelib", ignore=ignored)
    shutil.copy(ROOT / "app.py", directory / "app.py")
    (directory / "chalice").mkdir()
    for module in (chalice, chalice.app):
        source = Path(inspect.getfile(module))
        shutil.copy(source, directory / "chalice" / source.name)


def compiles() -> bool:
    """Whether this Python writes the bytecode that Lambda's reads."""
    return sys.version_info[:2] == tuple(int(part) for part in PYTHON.split("."))


def compile_all(directory: Path, place: str) -> None:
    """Add bytecode to all modules below ``directory``; in Lambda they stand in ``place``."""
    subprocess.run(
        [sys.executable, "-I", "-c", _COMPILE, str(directory), place],
        check=True,
        env=STEADY,
        timeout=PATIENCE_SECONDS,
    )


def check(
    directory: Path, layers: list[Path], services: frozenset[str], libraries: list[str]
) -> str | None:
    """What is missing in the packages, from importing everything there is; ``None`` if nothing.

    ``services`` are those of AWS that are called, ``libraries`` what single functions have.
    """
    stub = directory.parent / "check" / "tools_services.py"
    stub.parent.mkdir(exist_ok=True)
    stub.write_text(f"SERVICES = {sorted(services)}\nLIBRARIES = {libraries}\n", "utf-8")
    paths = [str(path) for path in (directory, *layers, stub.parent)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _IMPORT, *paths],
        env=STEADY,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    return (done.stderr or "it ended with an error") if done.returncode else None
