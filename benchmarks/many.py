"""Many tiny images: seconds to the first question, and the peak memory of a session with a simulated person.

    python benchmarks/many.py {npz|folder} [ROWS] [--clicks 20] [OPTION OF SIMULATE ...]

Images of 8 x 8 pixels, digits shifted by at most a pixel with noise, so that no two are alike. `npz` is one file,
`folder` one PNG an image in folders of a thousand, with the truth in a CSV. They are made below LABELER_SCRATCH (a
folder; else the system's) and taken away at the end. Prints a line of a table.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import labeler

CHUNK = 10_000


def images(n: int):
    """Yield uint8 images (at most CHUNK, 8, 8) with their classes, `n` in all."""
    with np.load(Path(labeler.__file__).parent / "_data" / "digits.npz") as arrays:
        X, y = arrays["X"], arrays["y"]
    X = (X.reshape(-1, 8, 8).astype(np.float32) * (230 / X.max())).astype(np.int16)
    rng = np.random.default_rng(0)
    for start in range(0, n, CHUNK):
        chosen = rng.integers(0, len(X), min(CHUNK, n - start))
        moved = X[chosen]
        for axis in (1, 2):
            steps = rng.integers(-1, 2, len(chosen))
            for step in (-1, 1):
                moved[steps == step] = np.roll(moved[steps == step], step, axis)
        noise = rng.integers(-25, 26, moved.shape)
        yield np.clip(moved + noise, 0, 255).astype(np.uint8), y[chosen].astype(np.int64)


def make_npz(n: int, folder: Path) -> tuple[Path, str]:
    """One file with the images `X` and their truth `y`."""
    parts = list(images(n))
    np.savez(folder / "many.npz", X=np.concatenate([X for X, _ in parts]), y=np.concatenate([y for _, y in parts]))
    return folder / "many.npz", "y"


def make_folder(n: int, folder: Path) -> tuple[Path, str]:
    """A folder of PNGs, and a CSV that says what they show."""
    from PIL import Image

    number = 0
    with open(folder / "truth.csv", "w") as truth:
        truth.write("path,label\n")
        for X, y in images(n):
            for pixels, class_id in zip(X, y, strict=True):
                name = f"{number // 1000:04d}/{number:07d}.png"
                if number % 1000 == 0:
                    (folder / "many" / f"{number // 1000:04d}").mkdir(parents=True)
                Image.fromarray(pixels).save(folder / "many" / name, compress_level=1)
                truth.write(f"{name},{class_id}\n")
                number += 1
    return folder / "many", str(folder / "truth.csv")


def computed() -> float:
    """Seconds that processes which were waited for have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Make the images, run the session, print the line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("npz", "folder"))
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument("--clicks", type=int, default=20)
    plan, options = parser.parse_known_args()
    with tempfile.TemporaryDirectory(dir=os.environ.get("LABELER_SCRATCH")) as folder:
        began = time.perf_counter()
        source, truth = {"npz": make_npz, "folder": make_folder}[plan.kind](plan.rows, Path(folder))
        print(f"made in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "labeler", "simulate", source, "--truth", truth]
        command += ["--clicks", str(plan.clicks), "--json", *options]
        before = computed()
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": folder})
        if done.returncode:
            sys.exit(f"labeler simulate ended with code {done.returncode}")
        found = json.loads(done.stdout)
    busy = computed() - before
    final, latency = found["final"], found["click_latency_ms"]
    print("| source | images | first question, s | in all, s | computing, s | peak, MB | click p50 / max, ms | right |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    print(
        f"| {plan.kind} | {plan.rows:,} | {found['seconds_to_first_question']:.1f} | {found['seconds_total']:.0f}"
        f" | {busy:.0f} | {found['peak_memory_mb']:,.0f} | {latency['p50']:.0f} / {latency['max']:.0f}"
        f" | {100 * final['labels_accuracy']:.2f} % |"
    )


if __name__ == "__main__":
    main()
