# SPDX-License-Identifier: BSD-2-Clause
"""Boot Anax in QEMU and talk to its serial console.

    g = Guest(cpus=4, mem="256M", disks=["build/root.img"], snapshot=True)
    g.login()
    status, out = g.sh("ls /")
    g.poweroff()

Waits are for conditions, each bounded by a generous timeout that only a broken
guest reaches; nothing sleeps.  QEMU runs under TCG always.  Environment:
ANAX_BUILD (build), ANAX_VERBOSE (copy the console to stderr), ANAX_TIMEOUT
(scales every timeout).
"""
import json, os, re, select, shutil, socket, subprocess, sys, tempfile, time

BUILD = os.environ.get("ANAX_BUILD", "build")
SCALE = float(os.environ.get("ANAX_TIMEOUT", "1"))


class GuestError(Exception):
    pass


class Guest:
    def __init__(self, cpus=1, mem="256M", machine="q35", cpu="max",
                 disks=(), snapshot=False, iso=None, kernel=None, initrd=None,
                 append="", extra=(), accel="tcg"):
        """disks: paths, or (path, snapshot) pairs, each a virtio disk in
        order.  iso boots through GRUB; else the kernel by PVH."""
        self.tmp = tempfile.mkdtemp(prefix="anax-")
        self.seen = ""          # console output not yet consumed
        self.log = []           # all of it, in pieces
        qmp = os.path.join(self.tmp, "qmp")
        cmd = ["qemu-system-x86_64", "-machine", machine, "-cpu", cpu,
               "-accel", accel, "-smp", str(cpus), "-m", str(mem),
               "-display", "none", "-monitor", "none", "-serial", "stdio",
               "-no-reboot", "-nic", "none",
               "-qmp", "unix:%s,server=on,wait=off" % qmp]
        if iso:
            cmd += ["-cdrom", iso, "-boot", "d"]
        else:
            cmd += ["-kernel", kernel or BUILD + "/pc64/anax.elf"]
            if append:
                cmd += ["-append", append]
            if initrd:
                cmd += ["-initrd", initrd]
        for i, d in enumerate(disks):
            path, snap = d if isinstance(d, tuple) else (d, snapshot)
            cmd += ["-drive", "file=%s,format=raw,if=none,id=d%d,"
                    "cache=writeback%s" %
                    (path, i, ",snapshot=on" if snap else ""),
                    "-device", "virtio-blk-pci,drive=d%d" % i]
        self.cmd = cmd + list(extra)
        self.p = subprocess.Popen(self.cmd, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        os.set_blocking(self.p.stdout.fileno(), False)
        self.qmp_path, self.qmp_sock = qmp, None

    # ---- console ----
    def _read(self, deadline):
        """More output, or False at the end of QEMU or at the deadline."""
        left = deadline - time.monotonic()
        if left <= 0:
            return False
        r, _, _ = select.select([self.p.stdout], [], [], left)
        if not r:
            return False
        data = self.p.stdout.read()
        if not data:
            return False
        text = data.decode("utf-8", "replace")
        if os.environ.get("ANAX_VERBOSE"):
            sys.stderr.write(text)
        self.log.append(text)
        self.seen += text
        return True

    def expect(self, pattern, timeout=60):
        """Wait until the output matches; returns the match, whose
        .before-text is dropped from what is searched next."""
        deadline = time.monotonic() + timeout * SCALE
        rx = re.compile(pattern, re.S)
        while True:
            m = rx.search(self.seen)
            if m:
                self.before = self.seen[:m.start()]
                self.seen = self.seen[m.end():]
                return m
            if not self._read(deadline):
                raise GuestError("waited for %r; the console ends:\n%s" %
                                 (pattern, "".join(self.log)[-3000:]))

    def send(self, text):
        try:
            self.p.stdin.write(text.encode())
            self.p.stdin.flush()
        except BrokenPipeError:
            raise GuestError("QEMU is gone; the console ends:\n" +
                             "".join(self.log)[-3000:])

    def login(self, timeout=120):
        self.expect(r"login: ", timeout)
        self.send("root\n")
        self.expect(r"# ", 60)

    def sh(self, command, timeout=120):
        """Run a shell command line; (exit status, output)."""
        self.send('echo "=S""S="; %s; echo "=R""C=$?="\n' % command)
        self.expect(r"=SS=\r*\n", timeout)
        m = self.expect(r"=RC=(\d+)=\r*\n", timeout)
        out = self.before.replace("\r", "")
        self.expect(r"# ", 60)
        return int(m.group(1)), out

    def must(self, command, timeout=120):
        status, out = self.sh(command, timeout)
        if status != 0:
            raise GuestError("%r: status %d:\n%s" % (command, status, out))
        return out

    # ---- machine ----
    def qmp(self, command, **arguments):
        if self.qmp_sock is None:
            self.qmp_sock = socket.socket(socket.AF_UNIX)
            self.qmp_sock.connect(self.qmp_path)
            self.qmp_file = self.qmp_sock.makefile("rw")
            self.qmp_file.readline()
            self.qmp("qmp_capabilities")
        self.qmp_file.write(json.dumps(
            {"execute": command, "arguments": arguments}) + "\n")
        self.qmp_file.flush()
        while True:
            r = json.loads(self.qmp_file.readline())
            if "return" in r:
                return r["return"]
            if "error" in r:
                raise GuestError("qmp %s: %s" % (command, r["error"]))

    def blockstats(self, drive=0):
        for d in self.qmp("query-blockstats"):
            if d.get("device") == "d%d" % drive:
                s = d["stats"]
                return {"reads": s["rd_operations"],
                        "writes": s["wr_operations"],
                        "flushes": s["flush_operations"],
                        "write_bytes": s["wr_bytes"]}
        raise GuestError("no drive d%d" % drive)

    def wait_exit(self, timeout=60):
        deadline = time.monotonic() + timeout * SCALE
        while self.p.poll() is None:
            if not self._read(deadline) and time.monotonic() >= deadline:
                raise GuestError("QEMU did not end; the console ends:\n" +
                                 "".join(self.log)[-3000:])
            if self.p.stdout.closed:
                break
            try:
                self.p.wait(0.05)
            except subprocess.TimeoutExpired:
                pass
        return self.p.returncode

    def poweroff(self, timeout=60):
        self.send("poweroff\n")
        rc = self.wait_exit(timeout)
        self.close()
        return rc

    def kill(self):
        """Pull the plug."""
        self.p.kill()
        self.p.wait()
        self.close()

    def close(self):
        if self.p.poll() is None:
            self.p.kill()
            self.p.wait()
        if self.qmp_sock:
            self.qmp_sock.close()
            self.qmp_sock = None
        shutil.rmtree(self.tmp, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Report:
    """Collects `ok - ` and `not ok - ` lines."""

    def __init__(self, prefix):
        self.prefix, self.bad = prefix, 0

    def check(self, name, good, detail=""):
        print("%s - %s: %s" % ("ok" if good else "not ok", self.prefix, name),
              flush=True)
        if not good:
            self.bad += 1
            for line in str(detail).splitlines()[-40:]:
                print("    " + line)
        return good

    def case(self, name, fn):
        """fn() returns nothing when all is well and raises otherwise."""
        try:
            fn()
        except (GuestError, AssertionError, OSError) as e:
            return self.check(name, False, repr(e) if not str(e) else str(e))
        return self.check(name, True)

    def done(self):
        sys.exit(1 if self.bad else 0)
