"""Trainings that are stopped."""

import signal
import subprocess
import sys
import threading

import deephedge
import polars
import pytest
from conftest import command

LONG = 10**6


def test_ctrl_c_stops_a_training(small, root):
    """A signal whose handler raises KeyboardInterrupt, as that of Ctrl-C does, ends a training that takes for ever; a note says how it goes on."""
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt) as stopped:
            deephedge.train(small, steps=LONG, runs=root)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    folder = max((folder for folder in root.iterdir() if folder.is_dir()), key=lambda one: one.stat().st_mtime)
    assert stopped.value.__notes__ == [f'what is done of it is kept: deephedge.resume("{folder}") goes on']
    run = deephedge.Run(folder)
    assert not run.is_complete
    with pytest.raises(deephedge.InputError, match="unfinished"):
        run.metrics
    # The script of the package stops as the program does, at a checkpoint and with its exit code, and leaves the run to go on.
    done = command("job", run.id, "--runs", root, stdin=subprocess.DEVNULL)
    assert done.returncode == 3 and "stopped; go on with" in done.stderr, done.stderr


def test_a_stopped_training_goes_on_to_the_same_bits(small, root):
    """What `progress` raises comes out of the training, which goes on to what it would have come to."""

    class Enough(Exception):
        pass

    def stop(event):
        if event["step"] == 5:
            raise Enough

    folders = set(root.iterdir())
    with pytest.raises(Enough):
        deephedge.train(small, steps=9, runs=root, progress=stop)
    (stopped,) = (folder for folder in set(root.iterdir()) - folders if folder.is_dir())
    steps = []
    resumed = deephedge.resume(stopped, progress=lambda event: steps.append(event["step"]))
    assert steps == [6, 7, 8, 9]
    whole = deephedge.train(small, steps=9, runs=root)
    assert polars.DataFrame(resumed.table("evaluation")).equals(polars.DataFrame(whole.table("evaluation")))
    with pytest.raises(deephedge.InputError, match="complete, there is nothing to resume"):
        deephedge.resume(resumed)


def test_other_threads_go_on(small):
    """The interpreter's lock is free during work: where no thread gives it away by itself, one that needs it to answer has it meanwhile."""
    asked, answered = threading.Event(), threading.Event()

    def answer():
        asked.wait()
        answered.set()

    thread = threading.Thread(target=answer)
    thread.start()
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        asked.set()
        deephedge.simulate(small, paths=200_000)
        assert answered.is_set()
    finally:
        sys.setswitchinterval(usual)
        asked.set()
        thread.join()
