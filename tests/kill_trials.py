#!/usr/bin/env python3
"""Kills comparisons, trainings, walk-forwards and the server (kill -9) at random times, goes on with what they left, and
compares the results byte for byte, seconds apart, with those of runs that were left alone.

    cargo build --release && tests/kill_trials.py --trials 40

With --ranks N and a program that is built with the feature `mpi`, every attempt is a job of up to N ranks under mpirun, of which
one is killed; the job must then end within ten seconds.

Needs Python 3.9 and nothing else. Exit code 1 if a result differs, a run does not go on, or a temporary file is left.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
STRATEGY = """
name = "killed"
seed = 3
[market]
model = "heston"
v0 = 0.04
kappa = 1.5
theta = 0.04
sigma = 0.3
rho = -0.7
[contract]
expiry_days = 10
[costs]
proportional = 0.002
[policy]
hidden = 6
[training]
steps = {steps}
paths = 128
[evaluation]
paths = 5000
[optimizers.adam]
[optimizers.kfac]
curvature_paths = 64
radius_paths = 64
"""
HISTORY = """
[backtest]
data = "{data}"
start = "2010-01-01"
spacing = "monthly"
[walk_forward]
years = 3.0
months = 24
"""
KINDS = ["compare", "train", "walk-forward", "server"]
# Beginnings of the names of what must not be left.
TEMPORARY = (".deephedge-", ".new-", ".deleted-")
# Longest wait for anything, in seconds.
PATIENCE = 300
# How long a job may go on without one of its ranks, in seconds.
WITHOUT_A_RANK = 10
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none", "--mca", "pml", "ob1", "--mca", "btl", "vader,self"]


class Failed(Exception):
    pass


class Trials:
    def __init__(self, binary, folder, seed, ranks):
        self.binary, self.folder, self.ranks = binary, folder, ranks
        self.random = random.Random(seed)
        self.kills = 0
        self.stuck = 0
        self.strategies = {}
        for kind in KINDS:
            steps = 60 if kind == "walk-forward" else 600
            text = STRATEGY.format(steps=steps)
            if kind == "walk-forward":
                text += HISTORY.format(data=CHECKOUT / "market_data/sp500_daily.csv")
            self.strategies[kind] = folder / f"{kind}.toml"
            self.strategies[kind].write_text(text)

    def command(self, *arguments):
        return [str(self.binary), *map(str, arguments)]

    def begun(self, kind):
        """What begins a run of this kind."""
        file = self.strategies[kind]
        return {
            "compare": ["compare", file],
            "server": ["compare", file],
            "train": ["train", file, "--optimizer", "kfac"],
            "walk-forward": ["backtest", file, "--walk-forward"],
        }[kind]

    def again(self, kind, run):
        """What goes on with it."""
        return {
            "compare": ["compare", "--resume", run],
            "train": ["train", "--resume", run],
            "walk-forward": ["backtest", run, "--walk-forward"],
        }[kind]

    def listed(self, root):
        output = subprocess.run(
            self.command("runs", "list", "--json", "--runs", root), capture_output=True, check=True
        )
        return json.loads(output.stdout)["runs"]

    def reference(self, kind):
        """The results of a run that is left alone, and how long it took."""
        root = self.folder / f"{kind}-reference"
        start = time.monotonic()
        subprocess.run(
            self.command(*self.begun(kind), "--runs", root), capture_output=True, check=True
        )
        seconds = time.monotonic() - start
        return results(root / self.listed(root)[0]["run"]), seconds

    def trial(self, kind, root, seconds):
        """The folder of a run that was killed at random times and went on."""
        if kind == "server":
            return self.server_trial(root, seconds)
        arguments = self.begun(kind)
        for _ in range(100):
            process, ranks = self.launched([*arguments, "--runs", root])
            # The last part of a run writes the most files.
            wait = self.random.uniform(0.0, 1.2) * seconds
            try:
                _, errors = process.communicate(timeout=wait)
                if process.returncode != 0:
                    raise Failed(f"{arguments} ended with {process.returncode}: {errors.decode()}")
                return root / self.listed(root)[0]["run"]
            except subprocess.TimeoutExpired:
                self.kill(process, ranks)
                self.kills += 1
            runs = self.listed(root)
            if len(runs) > 1:
                raise Failed(f"{len(runs)} runs after one was begun")
            if runs and runs[0]["state"] == "complete":
                # All that is missing are figures and the report, which are made again from the rest.
                subprocess.run(
                    self.command("report", runs[0]["run"], "--runs", root),
                    capture_output=True,
                    check=True,
                )
                return root / runs[0]["run"]
            if runs:
                arguments = self.again(kind, runs[0]["run"])
        raise Failed("killed a hundred times, and still not at its end")

    def launched(self, arguments):
        """The program, as a process of its own or as several ranks, and their number."""
        ranks = self.random.randint(1, self.ranks)
        launcher = [] if ranks == 1 else [*MPIRUN, "-n", str(ranks)]
        allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        process = subprocess.Popen(
            [*launcher, *self.command(*arguments)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=os.environ | allowed | ({"RAYON_NUM_THREADS": "1"} if launcher else {}),
        )
        return process, ranks

    def kill(self, process, ranks):
        """Kills the process, or one of its ranks."""
        if ranks == 1:
            process.kill()
            process.communicate()
            return
        end = time.monotonic() + WITHOUT_A_RANK
        while process.poll() is None and not (started := ranks_of(process.pid, self.binary)):
            time.sleep(0.005)
        if process.poll() is None:
            try:
                os.kill(self.random.choice(started), signal.SIGKILL)
            except ProcessLookupError:
                pass
        try:
            process.communicate(timeout=end - time.monotonic())
        except subprocess.TimeoutExpired:
            if ranks_of(process.pid, self.binary):
                raise Failed(f"a job of {ranks} ranks goes on without one of them") from None
            # The job has ended, but mpirun has not: Open MPI 4.1 can wait for ever on a lock of PMIx while it ends.
            process.kill()
            process.communicate()
            self.stuck += 1

    def server_trial(self, root, seconds):
        run = None
        for number in range(100):
            server = subprocess.Popen(
                self.command("serve", "--json", "--bind", "127.0.0.1:0", "--runs", root),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
            try:
                url = json.loads(server.stdout.readline())["url"]
                if run is None:
                    strategy = self.strategies["server"].read_text()
                    run = ask(f"{url}api/v1/jobs", {"command": "compare", "strategy": strategy})["run"]
                elif ask(f"{url}api/v1/jobs/{run}")["state"] != "queued":
                    ask(f"{url}api/v1/jobs/{run}/resume", {})
                until = time.monotonic() + self.random.uniform(0.0, 1.2) * seconds
                if number == 99:
                    until += PATIENCE
                while time.monotonic() < until:
                    state = ask(f"{url}api/v1/jobs/{run}")["state"]
                    if state == "finished":
                        return root / run
                    if state == "failed":
                        raise Failed(f"the job failed: {ask(f'{url}api/v1/jobs/{run}')}")
                    time.sleep(0.02)
                self.kills += 1
            finally:
                server.kill()
                server.wait()
            end = time.monotonic() + PATIENCE
            while (state := self.listed(root)[0]["state"]) == "running":
                if time.monotonic() > end:
                    raise Failed("the job outlives its server")
                time.sleep(0.02)
            if state == "complete":
                return root / run
        raise Failed("killed a hundred times, and still not at its end")


def ranks_of(parent, binary):
    """The processes below `parent` that run the program."""
    found, parents = [], [parent]
    while parents:
        for children in Path(f"/proc/{parents.pop()}/task").glob("*/children"):
            try:
                below = [int(child) for child in children.read_text().split()]
            except OSError:
                continue
            for child in below:
                try:
                    is_rank = Path(f"/proc/{child}/exe").resolve() == binary
                except OSError:
                    continue
                (found if is_rank else parents).append(child)
    return found


def ask(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise Failed(f"{url}: {error.code} {error.read().decode()}") from error


def results(run):
    """Everything that a run has found, by file; JSON without seconds and names of the run."""
    found = {}
    for path in sorted(run.rglob("*")):
        name = str(path.relative_to(run))
        if name.endswith((".safetensors", ".parquet")) and not name.startswith("checkpoints"):
            found[name] = path.read_bytes()
        elif name in ("metrics.json", "walk_forward.json", "example_path.json"):
            found[name] = untimed(json.loads(path.read_text()))
    return found


def untimed(value):
    if isinstance(value, dict):
        kept = {key: of for key, of in value.items() if "seconds" not in key}
        return {key: untimed(of) for key, of in kept.items() if key not in ("run", "created")}
    if isinstance(value, list):
        return [untimed(of) for of in value]
    return value


def left_over(root):
    names = (path for path in root.rglob("*") if path.name.startswith(TEMPORARY))
    return [str(path.relative_to(root)) for path in names]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--binary", type=Path, default=CHECKOUT / "target/release/deephedge")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="deephedge-kill-trials-"))
    trials = Trials(arguments.binary.resolve(), folder, arguments.seed, arguments.ranks)
    kinds = KINDS if arguments.ranks == 1 else [kind for kind in KINDS if kind != "server"]
    references, failures = {}, []
    for number in range(arguments.trials):
        kind = kinds[number % len(kinds)]
        if kind not in references:
            references[kind] = trials.reference(kind)
        expected, seconds = references[kind]
        root, before = folder / f"trial-{number}", trials.kills
        try:
            found = results(trials.trial(kind, root, seconds))
            differ = sorted(
                name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)
            )
            if differ:
                raise Failed(f"differs in {', '.join(differ)}")
            if left := left_over(root):
                raise Failed(f"left over: {', '.join(left)}")
            outcome = "equal"
            shutil.rmtree(root)
        except Failed as error:
            outcome = f"FAILED: {error} ({root})"
            failures.append(number)
        print(f"trial {number}: {kind}, {trials.kills - before} kills, {outcome}", flush=True)
    equal = arguments.trials - len(failures)
    stuck = f", {trials.stuck} times mpirun outlived its ranks" if trials.stuck else ""
    print(f"{arguments.trials} trials, {trials.kills} kills, {equal} equal results{stuck}")
    if failures:
        sys.exit(1)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
