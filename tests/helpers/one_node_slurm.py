"""A real Slurm of one node on this machine, without systemd: munged, slurmctld and slurmd in a temporary folder.

Debian's packages are ``slurm-wlm`` and ``munge``; the daemons run as root. By hand::

    python tests/helpers/one_node_slurm.py            # until Ctrl-C; prints the environment to use
    python tests/helpers/one_node_slurm.py COMMAND …  # for as long as a command runs
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PROGRAMS = (
    "setpriv",
    "munged",
    "slurmctld",
    "slurmd",
    "slurmstepd",
    "sbatch",
    "squeue",
    "scancel",
    "sinfo",
    "scontrol",
)
"""What must be installed."""

PARTITION = "bench"
"""The one partition."""

PATIENCE = 30.0
"""Seconds in which a daemon starts, or ends."""

KEEP = "--keep"
"""The word by which this file is asked to run one daemon and to end what it leaves."""

PR_SET_CHILD_SUBREAPER = 36
"""Linux's number for taking the processes whose parents end."""

CONFIGURATION = """\
ClusterName=bench
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=3
MinJobAge=300
MailProg=/bin/true
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} Gres=gpu:{gpus} State=UNKNOWN
PartitionName={partition} Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class SlurmError(Exception):
    """Slurm does not start here."""


@dataclass(frozen=True)
class Slurm:
    """A Slurm that runs.

    Parameters
    ----------
    environment : mapping of str to str
        What its commands need in their environment.
    folder : pathlib.Path
        Its files, among them the logs of its daemons.
    """

    environment: Mapping[str, str]
    folder: Path

    def call(self, *words: str) -> str:
        """What one of its commands prints."""
        done = subprocess.run(
            words, env={**os.environ, **self.environment}, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        if done.returncode != 0:
            raise SlurmError(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout.strip()

    def jobs(self) -> list[str]:
        """The numbers of the jobs that wait, run or are ending."""
        return self.call("squeue", "--noheader", "--format=%A").split()


def missing() -> str | None:
    """What keeps Slurm from running here, in words; None where nothing does."""
    lacking = [program for program in PROGRAMS if _program(program) is None]
    if lacking:
        return f"Slurm is not installed ({', '.join(lacking)}): apt-get install slurm-wlm munge"
    if os.geteuid() != 0:
        return "a Slurm of one node is started by root"
    return None


@contextmanager
def one_node_slurm(gpus: int = 2) -> Iterator[Slurm]:
    """Start Slurm, and stop it with all that it runs.

    Parameters
    ----------
    gpus : int
        The GPUs that the node is said to have. They are empty files: Slurm counts them, and tells a job its own by
        ``CUDA_VISIBLE_DEVICES``, but nothing computes on them.

    Raises
    ------
    SlurmError
        If it does not start.
    """
    if (reason := missing()) is not None:
        raise SlurmError(reason)
    # What others may write to is no place for munge's socket, nor its parents.
    with tempfile.TemporaryDirectory(prefix="bench-slurm-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        slurm = _written(Path(name), gpus)
        munge = slurm.folder / "munge"
        _start(stack, slurm, "munged", "--foreground", "--force", f"--key-file={munge}/key", f"--socket={munge}/socket",
               f"--pid-file={munge}/pid", f"--log-file={munge}/log", f"--seed-file={munge}/seed")  # fmt: skip
        _wait(slurm, "munged", lambda: (munge / "socket").exists())
        _start(stack, slurm, "slurmctld", "-D", "-f", slurm.environment["SLURM_CONF"])
        _start(stack, slurm, "slurmd", "-D", "-f", slurm.environment["SLURM_CONF"])
        _wait(slurm, "slurmctld and slurmd", lambda: slurm.call("sinfo", "--noheader", "--format=%T") == "idle")
        stack.callback(_end_jobs, slurm)
        yield slurm


def _written(folder: Path, gpus: int) -> Slurm:
    """Slurm's files in a folder."""
    folder.chmod(0o755)
    for name in ("munge", "state", "spool", "gpus"):
        (folder / name).mkdir(mode=0o755)
    key = folder / "munge" / "key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    for number in range(gpus):
        (folder / "gpus" / str(number)).touch()
    with socket.socket() as first, socket.socket() as second:
        for each in (first, second):
            each.bind(("127.0.0.1", 0))
        controller, daemon = (each.getsockname()[1] for each in (first, second))
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            host=socket.gethostname().partition(".")[0],
            folder=folder,
            controller=controller,
            daemon=daemon,
            cores=len(os.sched_getaffinity(0)),
            memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
            gpus=gpus,
            partition=PARTITION,
        )
    )
    (folder / "gres.conf").write_text(
        f"Name=gpu Flags=nvidia_gpu_env File={folder}/gpus/[0-{gpus - 1}]\n" if gpus else ""
    )
    return Slurm({"SLURM_CONF": str(configuration)}, folder)


def _start(stack: ExitStack, slurm: Slurm, program: str, *words: str) -> None:
    log = stack.enter_context((slurm.folder / f"{program}.out").open("w"))
    # It ends with this process, however that ends.
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", sys.executable, __file__, KEEP, _program(program) or program, *words],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    stack.callback(_stop, process)


def _keep(words: Sequence[str]) -> int:
    """Run a daemon until it or this process is to end, and leave nothing that it started.

    Slurm's daemon leaves its children (``slurmstepd``, and with it a job's processes) to the machine's first process,
    which in a container takes none. Here they come to this process, which takes all and kills them at the end.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    daemon = subprocess.Popen(words)
    signal.signal(signal.SIGTERM, lambda number, frame: daemon.terminate())
    status = None
    while status is None:
        ended, code = os.waitpid(-1, 0)
        if ended == daemon.pid:
            status = os.waitstatus_to_exitcode(code)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        for child in psutil.Process().children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.kill()
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return status


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _end_jobs(slurm: Slurm) -> None:
    """Cancel what is left, and wait until nothing of it runs."""
    with suppress(SlurmError, subprocess.TimeoutExpired):
        jobs = slurm.jobs()
        if jobs:
            slurm.call("scancel", *jobs)
        _wait(slurm, "the end of jobs", lambda: not slurm.jobs())


def _wait(slurm: Slurm, what: str, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(SlurmError):
            if done():
                return
        time.sleep(0.1)
    logs = [*slurm.folder.glob("*.log"), *slurm.folder.glob("*.out"), slurm.folder / "munge" / "log"]
    told = "\n".join(f"{path.name}: {line}" for path in logs if path.exists() for line in _last_lines(path))
    raise SlurmError(f"{what}: not there after {PATIENCE:g} s.\n{told}")


def _last_lines(path: Path) -> Sequence[str]:
    return path.read_text(errors="replace").splitlines()[-5:]


def _program(name: str) -> str | None:
    """The path of a program; daemons lie in a folder that a user's PATH need not have."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


def main(words: Sequence[str]) -> int:
    """Run Slurm for a command's time, or until Ctrl-C."""
    if words[:1] == [KEEP]:
        return _keep(words[1:])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with one_node_slurm() as slurm:
            if words:
                return subprocess.run(words, env={**os.environ, **slurm.environment}, check=False).returncode
            for name, value in slurm.environment.items():
                print(f"export {name}={value}", flush=True)
            while True:
                signal.pause()
    except SlurmError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
