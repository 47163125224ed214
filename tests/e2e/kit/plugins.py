# SPDX-License-Identifier: Apache-2.0
"""Plugins of the tests' own, compiled outside the tree against what `make install` puts down."""

import os
import shutil
import subprocess
from pathlib import Path

from .operator import BUILD

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "tests" / "e2e" / "plugins"

MAKEFILE = """\
EK_PLUGIN = {name}
SRCS = {name}.c
include $(shell pkg-config --variable=pluginmk eurekube-sdk)
"""


def run(*command, **options):
    done = subprocess.run(command, text=True, capture_output=True, timeout=300, **options)
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}"
    return done.stdout


def outside_make():
    """Make would take the variables of a make that runs this suite for its own."""
    return {key: value for key, value in os.environ.items() if not key.startswith("MAKE") and key != "MFLAGS"}


def this_build():
    """The build under test, as make is told of it."""
    return f"B={BUILD.relative_to(ROOT) if BUILD.is_relative_to(ROOT) else BUILD}"


def install_sdk(prefix):
    """Returns the environment in which plugins are built against it."""
    run("make", "-C", ROOT, "install", f"PREFIX={prefix}", this_build(), env=outside_make())
    return outside_make() | {"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}


def build_plugins(work, *names):
    """work/plugins: the plugins as built, and tests/e2e/plugins/NAME.c as NAME.so beside them."""
    environment = install_sdk(work / "sdk")
    plugins = work / "plugins"
    plugins.mkdir(mode=0o755)
    for name in names:
        sources = work / name
        sources.mkdir()
        shutil.copy(SOURCES / f"{name}.c", sources)
        (sources / "Makefile").write_text(MAKEFILE.format(name=name))
        run("make", "-C", sources, "CFLAGS=-O2 -Wall -Wextra -Werror", env=environment)
        add_plugin(plugins, sources / f"{name}.so")
    return copy_plugins(plugins)


def copy_plugins(directory, *more):
    """The plugins as built, and the files `more`, in a directory that may be there already."""
    directory.mkdir(mode=0o755, exist_ok=True)
    for built in [*(BUILD / "plugins").glob("*.so"), *more]:
        add_plugin(directory, built)
    return directory


def add_plugin(plugins, file, name=None, more=b""):
    """Copies it in; `more` bytes at its end give the same plugin another digest."""
    target = plugins / (name or file.name)
    target.write_bytes(file.read_bytes() + more)
    target.chmod(0o755)
