"""Builds fleetauth._native with the project's CMake, and takes the version from the API description."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent.parent
API = ROOT / "bindings" / "api" / "api.toml"


def run(*command: object) -> None:
    if subprocess.run([str(part) for part in command], check=False).returncode != 0:
        sys.exit(f"fleetauth: {command[0]} failed; what it said is above")


class CMakeBuild(build_ext):
    """Compiles in build/wheel-<Python> below the repository, so that the next time is quick."""

    def build_extension(self, ext: Extension) -> None:
        tag = sysconfig.get_config_var("SOABI") or sys.implementation.cache_tag
        build = ROOT / "build" / f"wheel-{tag}"
        if not (ROOT / "build" / "deps" / "stamp").exists():
            sys.exit(f"fleetauth: no built dependencies; run {ROOT}/scripts/bootstrap.sh and {ROOT}/scripts/deps.sh first")
        configure = ["cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo"]
        options = ["BUILD_TESTS=OFF", "BUILD_TOOLS=OFF", "BUILD_PYTHON=ON"]
        run(*configure, *(f"-DFLEETAUTH_{o}" for o in options), f"-DPython_EXECUTABLE={sys.executable}")
        run("cmake", "--build", build, "--target", "fleetauth_python", "--parallel", "2")
        built = next((build / "python" / "fleetauth").glob("_native*.so"))
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        run("strip", "--strip-unneeded", "-o", target, built)
        licenses = target.parent / "licenses"  # of what is inside the extension
        shutil.copytree(ROOT / "build" / "deps" / "licenses", licenses, dirs_exist_ok=True)
        shutil.copy(ROOT / "LICENSE", licenses / "LICENSE")


if not API.exists():
    sys.exit("fleetauth: the package is built from the repository, which holds the C++ core: pip install <repository>/python")
version = re.search(r'^version = "([^"]+)"', API.read_text("utf-8"), re.MULTILINE)
assert version is not None
scratch = ROOT / "build" / "setuptools"  # nothing is left beside the sources
scratch.mkdir(parents=True, exist_ok=True)
setup(
    version=version[1],
    ext_modules=[Extension("fleetauth._native", [])],
    cmdclass={"build_ext": CMakeBuild},
    options={"build": {"build_base": str(scratch)}, "egg_info": {"egg_base": str(scratch)}},
)
