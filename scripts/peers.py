#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Trains on Fashion-MNIST with other libraries, with the settings of downhill train, so that the
report can compare them. Runs under /usr/bin/python3, not the first python3 on PATH, because
Debian's modules are installed for the former."""

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
A library that is not installed is not an error; its row gives the reason. scripts/setup peers
installs both. PyTorch trains in f32 with the same steps as downhill, scikit-learn with its own
method.

Exit codes: 0 success; 1 a loss is wrong or training diverged; 2 wrong usage, or FILE cannot be
written or is not of scripts/peers.py; 3 bad input data; 5 a Python module is missing; 70 out of
memory, or writing failed; 128+n ended by signal n.
"""


def real(minimum: float, inclusive: bool) -> Any:
    """Returns an argparse type: a finite number above `minimum`, or equal to it if inclusive."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < minimum or (value == minimum and not inclusive):
            bound = "at least" if inclusive else "above"
            raise argparse.ArgumentTypeError(f"'{text}' is not a number {bound} {minimum:g}")
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
    add("--normalize", choices=("none", "standardize"), default="none", help="as in downhill train")
    add("--batch", type=whole(1), default=256, help="samples per minibatch (default: 256)")
    add("--lr", type=real(0.0, False), default=0.02, help="learning rate (default: 0.02)")
    add("--reg", type=real(0.0, True), default=1e-4, help="lambda of lambda*|W|^2 (default: 1e-4)")
    add("--epochs", type=whole(1), default=10, help="default: 10")
    add("--seed", type=whole(0), default=1, help="seed of the order of samples (default: 1)")
    add(
        "--threads", type=whole(1), default=1, help="a single thread is bound to a CPU (default: 1)"
    )
    add(
        "--data-dir",
        type=command_line.path("directory"),
        metavar="DIR",
        help="directory of the four .gz files",
    )
    add(
        "--json",
        type=command_line.path(),
        metavar="FILE",
        help="write results to FILE ('-': standard output, and nothing else there)",
    )
    return parser.parse_args()


def fail(code: int, message: str) -> Any:
    errors.leave(code, message, "peers")


def bind(threads: int) -> int | None:
    """Sets the number of threads of the libraries. Binds a single thread to the last allowed CPU,
    as downhill does, and returns that CPU; leaves several threads to the operating system."""
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
    # Imported after bind(), because libraries read their number of threads when they are loaded.
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
