"""Two hosts: a control project and worker projects with networks of their own. All they share is a network that stands for the
wire between the hosts, and on it is, of the control host, the broker alone."""
import os
import re
import socket
import time

from compose import ContainerTest, main, run, wait_for

CONTROL = ["docker-compose.yml", "deploy/compose.control.yml", "wire-control.yml"]
WORKER = ["deploy/compose.worker.yml", "wire-worker.yml"]
WIRE = """networks:
  {name}:
    name: {wire}
    external: true
"""


class HostsTest(ContainerTest):
    def worker(self, name, key):
        """A worker host with the key in a file."""
        path = f"{self.checkout.folder}/{name}.key"
        with open(path, "w", encoding="utf-8") as file:
            file.write(key)
        os.chmod(path, 0o600)
        return self.project(name, WORKER, broker="tcp://control.example:7100", key=path)

    def issue(self, role):
        """(name, key): made on the control host."""
        text = self.control("run", "--rm", "-T", "keys", "issue", role, "--json")
        name = re.search(r'"name": "([^"]+)"', text).group(1)
        return name, self.control("run", "--rm", "-T", "--entrypoint", "cat", "keys", f"/var/lib/newsmill/keys/{name}/key")

    def all_workers(self):
        return [w for stage in ("summarizer", "chunker", "embedder") for w in self.control.workers(stage)]

    def test_only_the_right_key_works(self):
        wire = f"newsmill-test-{os.getpid()}-wire"
        run("docker", "network", "create", "--internal", wire)
        self.addCleanup(run, "docker", "network", "rm", wire, check=False)
        with open(f"{self.checkout.folder}/wire-control.yml", "w", encoding="utf-8") as file:
            file.write("services: {broker: {networks: {wire: {aliases: [control.example]}}}}\n" + WIRE.format(name="wire", wire=wire))
        with open(f"{self.checkout.folder}/wire-worker.yml", "w", encoding="utf-8") as file:
            file.write(WIRE.format(name="default", wire=wire))
        self.control = self.project("control", CONTROL, profiles=["demo"])
        self.control("build", "--quiet")
        self.control("up", "--detach", "--wait", "--wait-timeout", "180")
        wait_for("the articles to be taken in", lambda: sum(self.control.states().values()) >= 24, 60)
        self.assertEqual(self.all_workers(), [])
        for port in range(7100, 7114):
            socket.create_connection(("127.0.0.1", port), 5).close()
        good_name, good = self.issue("worker")
        _, wrong_role = self.issue("gateway")
        revoked_name, revoked = self.issue("worker")
        self.control("run", "--rm", "-T", "keys", "revoke", revoked_name)
        server = re.search(r'broker-key = "(.{40})"', good).group(1)
        stranger = re.sub(r'(public|secret)-key = ".{40}"', lambda m: f'{m.group(1)}-key = "{self.stranger[m.group(1)]}"', good)
        wrong_server = good.replace(server, self.stranger["public"])
        forged_role = wrong_role.replace('role = "gateway"', 'role = "summarizer,chunker,embedder"')
        cases = {"nokey": "", "stranger": stranger, "wrongserver": wrong_server, "wrongrole": wrong_role,
                 "forgedrole": forged_role, "revoked": revoked}
        projects = {}
        for name, key in cases.items():
            projects[name] = self.worker(name, key)
            projects[name]("up", "--detach", "--no-build")
        told = {"nokey": "is no secret certificate", "stranger": "refused at", "wrongserver": "no handshake at",
                "wrongrole": "is for the role gateway", "forgedrole": "refused at", "revoked": "refused at"}
        for name, project in projects.items():
            with self.subTest(name):
                wait_for(f"{name} to be told", lambda: told[name] in project.log("embedder"), 60)
        time.sleep(5)
        self.assertEqual(self.all_workers(), [])
        self.assertEqual(self.control.stored(), 0, "a worker without the right delivered something")
        self.assertIsNone(re.search(r"ready .*\n(.*\n)*.* article=", "".join(p.log() for p in projects.values())),
                          "a worker without the right got something")
        log = self.control.log("broker")
        self.assertIn("its certificate is unknown or revoked", log)
        self.assertIn("its role has no business there", log)
        for project in projects.values():
            project.down()
        worker = self.worker("good", good)
        worker("up", "--detach", "--no-build", "--scale", "embedder=2")
        wait_for("the articles to be stored", lambda: self.control.stored() >= 24, 120)
        self.assertEqual(len(self.control.workers("embedder")), 2)
        self.control("run", "--rm", "-T", "keys", "revoke", good_name)
        wait_for("the revoked host to be gone", lambda: not self.all_workers(), 60)
        self.assertIn(f"cut off {good_name}", self.control.log("broker"))

    @property
    def stranger(self):
        """A pair that no newsmill has issued: the example of the libzmq manual, zmq_curve(7)."""
        return {"public": "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID", "secret": "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"}


if __name__ == "__main__":
    main()
