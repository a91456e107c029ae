"""Another host, for processes of a test: a network namespace behind a virtual cable, and a clock of its own."""
import glob
import os
import shutil
import subprocess


def can_be_made():
    return os.geteuid() == 0 and shutil.which("ip") and subprocess.run(["ip", "netns"], capture_output=True).returncode == 0


class FarHost:
    """Reaches this host at `near`; processes run there by the command `prefix`."""

    def __init__(self):
        number = os.getpid() % 16384
        net = f"10.211.{number // 64}.{number % 64 * 4}"
        self.name, self.cable = f"newsmill-{os.getpid()}", f"nm{os.getpid()}"
        self.near, self.far = (net.rsplit(".", 1)[0] + f".{number % 64 * 4 + i}" for i in (1, 2))
        self.prefix = ["ip", "netns", "exec", self.name]
        self._ip("netns", "add", self.name)
        try:
            self._connect()
        except subprocess.SubprocessError:
            self.close()
            raise

    def _connect(self):
        self._ip("link", "add", self.cable, "type", "veth", "peer", "name", "far", "netns", self.name)
        self._ip("address", "add", f"{self.near}/30", "dev", self.cable)
        self._ip("link", "set", self.cable, "up")
        self._ip("-n", self.name, "address", "add", f"{self.far}/30", "dev", "far")
        self._ip("-n", self.name, "link", "set", "lo", "up")
        self.mend()

    def _ip(self, *args):
        subprocess.run(["ip", *args], check=True, capture_output=True, timeout=10)

    def cut(self):
        """Nothing comes through, and nobody is told."""
        self._ip("-n", self.name, "link", "set", "far", "down")

    def mend(self):
        self._ip("-n", self.name, "link", "set", "far", "up")

    def reset(self):
        """Every TCP connection between the two ends at once."""
        subprocess.run(["ss", "-K", "dst", self.far], check=True, capture_output=True, timeout=10)

    def close(self):
        self._ip("netns", "del", self.name)


class Clock:
    """The time of day of processes that are started with `env`; libfaketime moves it, never the monotonic clock."""

    def __init__(self, path):
        self.path = path
        self.library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), None)
        self.env = {"LD_PRELOAD": self.library, "FAKETIME_TIMESTAMP_FILE": path, "FAKETIME_CACHE_DURATION": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1"} if self.library else {}
        self.step(0)

    def step(self, seconds):
        with open(self.path + ".new", "w") as file:
            file.write(f"{seconds:+d}")
        os.rename(self.path + ".new", self.path)
