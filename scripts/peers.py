#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Trains on Fashion-MNIST with other libraries, with the settings of a run of downhill train, for the
report to set them side by side. /usr/bin/python3 and not the first on PATH, because that is the one that
has Debian's modules."""

import argparse
import json
import math
import os
import platform
import sys
from functools import partial
from typing import Any

sys.dont_write_bytecode = True
from downhill_report import command_line, errors, files, kinds  # noqa: E402

whole = command_line.whole
EPILOG = """\
A library that is not installed has a row with the reason, and is no failure: scripts/setup peers installs
them. PyTorch trains in f32 by the same steps as downhill, scikit-learn by its own.

Exit codes: 0 success; 1 a loss is wrong or training diverged; 2 wrong usage, or an output that cannot be
written or holds something else; 3 bad input data; 5 a Python module is missing; 70 out of memory or results
cannot be written; 128+n ended by signal n.
"""


def real(least: float, inclusive: bool) -> Any:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < least or (value == least and not inclusive):
            bound = "at least" if inclusive else "above"
            raise argparse.ArgumentTypeError(f"'{text}' is not a number {bound} {least:g}")
        return value

    return parse


def parse_arguments() -> argparse.Namespace:
    parser = command_line.Parser(
        "peers",
        prog="scripts/peers.py",
        description="Train on Fashion-MNIST with PyTorch and scikit-learn.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--loss", choices=("hinge", "softmax"), default="hinge")
    add("--normalize", choices=("none", "standardize"), default="none", help="as of downhill train")
    add("--batch", type=whole(1), default=256, help="samples of a minibatch (default: 256)")
    add("--lr", type=real(0.0, False), default=0.02, help="learning rate (default: 0.02)")
    add("--reg", type=real(0.0, True), default=1e-4, help="lambda of lambda*|W|^2 (default: 1e-4)")
    add("--epochs", type=whole(1), default=10, help="default: 10")
    add("--seed", type=whole(0), default=1, help="of the order of the samples (default: 1)")
    add("--threads", type=whole(1), default=1, help="one is bound to a CPU (default: 1)")
    add(
        "--data-dir",
        type=command_line.path("directory"),
        metavar="DIR",
        help="where the four .gz files are",
    )
    add(
        "--json",
        type=command_line.path(),
        metavar="FILE",
        help="'-': standard output, and nothing else",
    )
    return parser.parse_args()


def fail(code: int, message: str) -> Any:
    errors.leave(code, message, "peers")


def bind(threads: int) -> int | None:
    """To the last CPU that is allowed, as downhill is; several threads are left to the system."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLIS_NUM_THREADS"):
        os.environ[name] = str(threads)
    if threads > 1:
        return None
    cpu = max(os.sched_getaffinity(0))
    try:
        os.sched_setaffinity(0, {cpu})
    except OSError as error:
        print(
            f"downhill: warning: peers: not bound to CPU {cpu}: {error.strerror}", file=sys.stderr
        )
        return None
    return cpu


def rows_of(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    # Not before bind(): libraries ask for their number of threads as they are loaded.
    from downhill_peers import epochs, problem, with_sklearn, with_torch

    libraries = (
        epochs.Library("PyTorch", "torch", "python3-torch", with_torch.TorchTrainer),
        epochs.Library("scikit-learn", "sklearn", "python3-sklearn", with_sklearn.SklearnTrainer),
    )
    given = vars(arguments)
    settings = problem.Settings(
        **{
            k: given[k]
            for k in ("loss", "normalize", "batch", "lr", "reg", "seed", "threads", "epochs")
        }
    )
    quiet = str(arguments.json) == "-"
    data, rows = None, []
    try:
        for library in libraries:
            if why := epochs.missing(library):
                rows.append(epochs.head(library, settings) | {"missing": why, "epochs": []})
                say(f"{library.name}: missing: {why}", quiet)
                continue
            data = data or problem.read_problem(arguments.data_dir, settings.normalize)
            tell = partial(tell_epoch, library.name, quiet)
            rows.append(epochs.row(library, settings, data, tell))
    except problem.PeersError as error:
        fail(error.code, str(error))
    return rows


def tell_epoch(name: str, quiet: bool, epoch: dict[str, Any]) -> None:
    loss = "-" if epoch["train_loss"] is None else f"{epoch['train_loss']:.4f}"
    say(
        f"{name:<13} epoch {epoch['epoch']:>3}  loss {loss}  test accuracy "
        f"{epoch['test_accuracy']:.4f}  {epoch['seconds']:.4f} s",
        quiet,
    )


def say(text: str, quiet: bool) -> None:
    if not quiet:
        show(text + "\n")


def show(text: str) -> None:
    try:
        print(text, end="", flush=True)
    except OSError as error:
        errors.cannot_print(error, "peers")


def main() -> None:
    try:
        try:
            arguments = parse_arguments()
        finally:
            sys.stdout.flush()  # of --help
    except OSError as error:
        errors.cannot_print(error, "peers")
    to_file = arguments.json if str(arguments.json) != "-" else None
    try:
        if to_file:
            files.check(to_file, kinds.Kind.PEERS)
        cpu = bind(arguments.threads)
        rows = rows_of(arguments)
        of = {"host_name": platform.node(), "cpu": cpu}
        document = {
            "schema_version": 1,
            "peers_training": [row | of for row in rows],
            "warnings": [],
        }
        text = json.dumps(document, indent=1, allow_nan=False) + "\n"
        if to_file:
            files.write(to_file, text.encode(), kinds.Kind.PEERS)
        elif arguments.json:
            show(text)
    except errors.ReportError as error:
        fail(error.code, str(error))
    except ModuleNotFoundError as missing:
        fail(5, f"no Python module {missing.name}; run scripts/setup peers")
    except MemoryError:
        fail(70, "out of memory; nothing was written")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
