"""A real Slurm on this machine alone: munged, slurmctld and slurmd on loopback, ports and folder of
their own, ended with the test that started them."""

import os
import pwd
import shutil
import socket
import subprocess
import time

from harness import Skipped, expect

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
CONFIGURATION = """
ClusterName=loopback
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={place}/munge/socket,cred_expire=5
CryptoType=crypto/munge
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
SlurmctldLogFile={place}/slurmctld.log
SlurmdLogFile={place}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
KillWait=2
MinJobAge=600
NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class SlurmCluster:
    """The daemons, for the length of a `with`; `run` calls a Slurm command."""

    def __init__(self, place):
        self.place = place / "slurm"
        self.daemons = []
        missing = [name for name in ("munged", "slurmctld", "slurmd", "sbatch", "scontrol")
                   if not shutil.which(name, path=PATH)]
        if missing:
            raise Skipped(f"no {', '.join(missing)} here; tools/setup slurm installs them")

    def __enter__(self):
        try:
            self.configure()
            self.start("munged", "--foreground", "--force", "--num-threads=1",
                       *(f"--{what}={self.place}/munge/{name}" for what, name in [
                           ("key-file", "key"), ("socket", "socket"), ("pid-file", "pid"),
                           ("log-file", "log"), ("seed-file", "seed")]))
            self.wait(lambda: (self.place / "munge/socket").exists(), "munged's socket")
            self.start("slurmctld", "-D", "-f", str(self.place / "slurm.conf"))
            self.start("slurmd", "-D", "-f", str(self.place / "slurm.conf"))
            self.wait(lambda: "idle" in self.run("sinfo", "-h", "-o", "%T", check=False),
                      "an idle node")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()

    def configure(self):
        for name in ("munge", "state", "spool"):
            (self.place / name).mkdir(parents=True)
        key = self.place / "munge/key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        host = socket.gethostname().split(".")[0]
        user = pwd.getpwuid(os.geteuid()).pw_name
        # Not more cores than Slurm will find.
        (self.place / "slurm.conf").write_text(CONFIGURATION.format(
            host=host, user=user, place=self.place, ports=free_ports(2),
            cores=len(os.sched_getaffinity(0))))

    @property
    def environment(self):
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("SLURM", "SBATCH"))}
        return {**kept, "PATH": PATH, "SLURM_CONF": str(self.place / "slurm.conf")}

    def start(self, *words):
        log = open(self.place / f"{words[0]}.out", "wb")
        self.daemons.append(subprocess.Popen(
            words, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        log.close()

    def run(self, *words, check=True):
        done = subprocess.run(list(map(str, words)), env=self.environment, capture_output=True,
                              timeout=120, stdin=subprocess.DEVNULL)
        text = done.stdout.decode() + done.stderr.decode()
        expect(not check or done.returncode == 0, f"{words}: exit {done.returncode}: {text[:600]}")
        return text

    def wait(self, condition, what, seconds=90):
        limit = time.monotonic() + seconds
        while not condition():
            logs = " ".join(f"{d.args[0]}: {d.returncode}" for d in self.daemons if d.poll() is not None)
            expect(not logs, f"ended while waiting for {what}: {logs}; {self.tails()}")
            expect(time.monotonic() < limit, f"no {what} after {seconds} s; {self.tails()}")
            time.sleep(0.1)

    def tails(self):
        """The ends of the daemons' logs."""
        return " | ".join(f"{path.name}: {path.read_text(errors='replace')[-500:]}"
                          for path in sorted(self.place.glob("*.log")))

    def jobs(self):
        """What is queued or running."""
        return self.run("squeue", "-h", "-o", "%A %a %T").split("\n")[:-1]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
