"""Follow the optical scene through one `cloudfree remove`: a script of its own, without imports.

It runs on any revision, so it finds things by their class and command, not by their module.
"""

import sys
import tempfile
import threading
from pathlib import Path

seen = set()


def follow(frame, event, _):  # type: ignore[no-untyped-def]
    """Note the module of each call that is handed the scene."""
    if event != "call":
        return
    callee = frame.f_globals.get("__name__", "")
    if not callee.startswith("cloudfree."):
        return
    code = frame.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if not any(type(frame.f_locals.get(name)).__name__ == "OpticalScene" for name in names):
        return
    caller = frame.f_back.f_globals.get("__name__", "") if frame.f_back else ""
    seen.add((caller, callee))


def run(*words: str) -> None:
    """One command in this process."""
    from cloudfree.cli.group import group

    group.main(list(words), standalone_mode=False)


with tempfile.TemporaryDirectory() as folder:
    scene = Path(folder) / "scene"
    run("simulate", str(scene), "--size", "96", "-q")
    sys.setprofile(follow)
    threading.setprofile(follow)
    s1, s2 = str(scene / "s1.tif"), str(scene / "s2_cloudy.tif")
    run("remove", "--s1", s1, "--s2", s2, "-q")
    sys.setprofile(None)
rooms = {callee for _, callee in seen}
hops = {(a, b) for a, b in seen if a != b and a.startswith("cloudfree.")}
print(f"{len(rooms)} modules, {len(hops)} hops")
