"""Look for files that a reader answers with a foreign error, guided by coverage: `benchmarks/fuzz.py ARTEFACT SECONDS`.

It needs atheris, which is no dependency: `pip install atheris`. Names of artefacts are those of
`benchmarks/artefacts.py`, or parts of them; `all` takes every one. Found files stay in the folder that is printed.
"""

import resource
import sys
import tempfile
import time
import warnings
from multiprocessing import get_context
from pathlib import Path

_INSTRUMENTED = ["antiphon", "tomllib"]


def fuzz(root: str, name: str, seconds: int) -> None:
    """Fuzz one artefact in this process, which atheris ends.

    Parameters
    ----------
    root : str
        Folder for the artefacts.
    name : str
        Name of the artefact.
    seconds : int
        How long.
    """
    import atheris

    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=_INSTRUMENTED):
        import artefacts
    from antiphon.errors import AntiphonError

    folder = Path(root) / "artefacts"
    folder.mkdir(parents=True)
    one = next(one for one in artefacts.make(folder) if name in one.name)
    path, corpus = folder / one.file, Path(root) / "corpus"
    corpus.mkdir()
    (corpus / "whole").write_bytes(path.read_bytes())

    def once(data: bytes) -> None:
        path.write_bytes(data)
        try:
            one.read(folder)
        except AntiphonError:
            return

    options = [f"-max_total_time={seconds}", "-rss_limit_mb=4096", "-timeout=120", f"-artifact_prefix={root}/found-"]
    atheris.Setup([sys.argv[0], *options, "-verbosity=0", "-print_final_stats=1", str(corpus)], once)
    atheris.Fuzz()


def main() -> None:
    """Fuzz the artefacts of the command line, each in a process of its own."""
    import artefacts

    wanted, seconds = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        names = [one.name for one in artefacts.make(Path(folder))]
    for name in (name for name in names if wanted in ("all", name) or wanted in name):
        root = tempfile.mkdtemp(prefix="antiphon-fuzz-")
        stable = name if "entries-" not in name else name.rsplit("-", 1)[-1][-12:]
        started, spent = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        process = get_context("spawn").Process(target=fuzz, args=(root, stable, seconds))
        process.start()
        process.join()
        found = sorted(path.name for path in Path(root).glob("found-*"))
        took_s, now = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        worked_s = now.ru_utime + now.ru_stime - spent.ru_utime - spent.ru_stime
        print(
            f"{name}: {took_s:.0f} s, {worked_s:.0f} s of processor time, exit {process.exitcode}, "
            f"found {found} in {root}",
            flush=True,
        )


if __name__ == "__main__":
    main()
