"""Where an episode happens: a server and the people who use it, and how the share goes away and comes back."""
import os
import shutil
import subprocess
import time

from fixture import PASSWORD, Server
from official import Person
from sandbox import Sandbox

NAMES = ('alice', 'bob')


class World:
    """A server that is there already, or a sandbox of one's own, which can be started again."""

    def __init__(self, address):
        self.sandbox = None if address else Sandbox()
        if self.sandbox:
            self.sandbox.__enter__()
        self.address, self.people = address, {}
        self.log_in()

    def log_in(self):
        self.server = Server(self.address or self.sandbox.address)
        self.server.ensure_people()
        for name in NAMES:
            self.people[name] = Person(self.server, name, PASSWORD).saving_into('lab')

    def log_out(self):
        for person in self.people.values():
            person.close()
        self.server.close()

    def restart(self):
        self.log_out()
        self.sandbox.restart()
        self.log_in()

    def close(self):
        """What went wrong with the server, or None."""
        self.log_out()
        if not self.sandbox:
            return None
        self.sandbox.__exit__()
        return None if self.sandbox.status == 0 else f'the sandbox ended with status {self.sandbox.status}: {self.sandbox.said[-2000:]}'


class Renamed:
    """A share that goes away: not there, or an empty directory."""

    def __init__(self, share, rng):
        self.share, self.rng = share, rng

    def away(self):
        os.rename(self.share, self.share + '.away')
        self.keep_directory()

    def keep_directory(self):
        if self.rng.random() < 0.5:
            os.mkdir(self.share)

    def back(self):
        if os.path.isdir(self.share):
            os.rmdir(self.share)
        os.rename(self.share + '.away', self.share)

    def close(self):
        pass


class Mounted:
    """A share that is a mount: unmounted, and mounted again as it was, or as another file system that holds the same (other device, inodes and ctime)."""

    def __init__(self, share, rng):
        self.share, self.rng, self.n = share, rng, 0
        self.store = self.new_store()
        self.mount('--bind', self.store, share)

    def new_store(self):
        self.n += 1
        store = f'{self.share}.store {self.n}'
        os.mkdir(store)
        self.mount('-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', store)
        return store

    @staticmethod
    def mount(*args):
        subprocess.run(['mount', *args], check=True)

    @staticmethod
    def unmount(path):
        for _ in range(100):  # busy while somebody looks at it
            done = subprocess.run(['umount', path], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError(done.stderr)

    def away(self):
        self.unmount(self.share)
        if self.rng.random() < 0.5:
            os.rmdir(self.share)

    def back(self):
        if self.rng.random() < 0.5:
            old, self.store = self.store, self.new_store()
            subprocess.run(['cp', '-a', old + '/.', self.store], check=True)
            self.unmount(old)
        os.makedirs(self.share, exist_ok=True)
        self.mount('--bind', self.store, self.share)

    def close(self):
        self.unmount(self.share)
        self.unmount(self.store)


def in_namespace():
    """How to get a mount namespace of one's own here; None: this machine does not allow it."""
    for way in (['unshare', '-m', '--propagation', 'private'], ['unshare', '-r', '-m', '--propagation', 'private']):
        if shutil.which('unshare') and subprocess.run([*way, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], capture_output=True, check=False).returncode == 0:
            return way
    return None
