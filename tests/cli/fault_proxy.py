#!/usr/bin/env python3
"""A whole import, login to logout, through a proxy that does harm at one message: cuts the connection before it, sends half of it,
delays it, or holds the connection open and silent from there.  After each the work must end in the state that it ends in undisturbed.

usage: fault_proxy.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY [--all] [--only N]

At each message one kind of harm, in turn; with --all each of the four.  Prints the number of points and the result.
"""
import argparse
import concurrent.futures
import os
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

KINDS = ('cut', 'truncate', 'delay', 'hold')
TIMEOUT_S, DELAY_S, RUNS_MAX, LATER_S = 1, 0.4, 12, 30
CARD = '''# omero annotation file
project = "Faults"
user = "bob"
group = "lab"
comment = "through a bad line"
tags = ["faults"]

[kv_pairs]
organism = "Danio rerio"
'''
TABLES = ('Project', 'Dataset', 'ProjectDatasetLink', 'DatasetImageLink', 'Fileset', 'FilesetEntry', 'Image', 'Pixels', 'Annotation',
          'DatasetAnnotationLink', 'ImageAnnotationLink')


class Proxy:
    """Between impomero and the sandbox's plain port; counts the messages of all connections in both directions."""

    def __init__(self, port, at=None, kind=None):
        self.port, self.at, self.kind = port, at, kind
        self.count, self.lock, self.done = 0, threading.Lock(), False
        self.sockets = []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.address = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(('127.0.0.1', self.port))
            except OSError:
                client.close()
                continue
            self.sockets += [client, server]
            held = threading.Event()
            for a, b in ((client, server), (server, client)):
                threading.Thread(target=self.pump, args=(a, b, held), daemon=True).start()

    @staticmethod
    def read_exactly(sock, n):
        data = b''
        while len(data) < n:
            more = sock.recv(n - len(data))
            if not more:
                raise OSError('end')
            data += more
        return data

    def strikes(self):
        """Is this message the one?"""
        with self.lock:
            self.count += 1
            struck = self.count - 1 == self.at
            self.done |= struck
            return struck

    def pump(self, source, to, held):
        try:
            while True:
                head = self.read_exactly(source, 14)
                body = self.read_exactly(source, struct.unpack('<i', head[10:])[0] - 14)
                self.pass_on(head + body, source, to, held)
        except OSError:
            for s in (source, to):
                if not held.is_set():
                    try:
                        s.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

    def pass_on(self, message, source, to, held):
        struck = self.strikes()
        if held.is_set():
            return
        if struck and self.kind == 'hold':
            held.set()
            return
        if struck and self.kind == 'delay':
            time.sleep(DELAY_S)
        if struck and self.kind == 'truncate':
            to.sendall(message[:len(message) // 2])
        if struck and self.kind in ('cut', 'truncate'):
            for s in (source, to):
                s.shutdown(socket.SHUT_RDWR)
            raise OSError('cut')
        to.sendall(message)

    def close(self):
        self.listener.close()
        for s in self.sockets:
            s.close()


class Failed(Exception):
    pass


def state_of(data):
    """What the sandbox holds: numbers of rows, links by name, contents of the repository."""
    with sqlite3.connect(os.path.join(data, 'sandbox.db')) as db:
        rows = {t: db.execute(f'select count(*) from {t}').fetchone()[0] for t in TABLES}
        rows['names'] = sorted(db.execute('select i.name, d.name from DatasetImageLink l join Image i on i.id = l.child '
                                          'join Dataset d on d.id = l.parent').fetchall())
        rows['notes'] = sorted(db.execute("select a.ns, coalesce(a.textValue, '') from ImageAnnotationLink l "
                                          'join Annotation a on a.id = l.child').fetchall(), key=str)
        rows['hashes'] = sorted(db.execute("select name, size, hash from OriginalFile where mimetype is not 'application/omero-log-file' "
                                           "and mimetype is not 'Directory'").fetchall(), key=str)
    db.close()
    files = []
    for directory, _, names in os.walk(os.path.join(data, 'ManagedRepository')):
        files += [os.path.splitext(n)[1] if n.endswith('.log') else n for n in names]
    rows['files'] = sorted(files)
    return rows


class Run:
    def __init__(self, a, at=None, kind=None):
        self.a = a
        self.dir = tempfile.mkdtemp(prefix='impomero-faults-')
        self.share = os.path.join(self.dir, 'share')
        self.data = os.path.join(self.dir, 'server')
        os.makedirs(self.share)
        shutil.copy(os.path.join(a.top, 'sample', 'gut', 'stained', 'overview.png'), self.share)
        with open(os.path.join(self.share, 'card.toml'), 'w', encoding='utf-8') as f:
            f.write(CARD)
        self.server = subprocess.Popen([a.sandbox, '--data', self.data, '--users', os.path.join(a.top, 'sample', 'users.toml'), '--port',
                                        '0', '--tcp-port', '0'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.proxy = Proxy(int(self.server.stdout.readline().split('tcp=')[1].split()[0]), at, kind)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proxy.close()
        self.server.send_signal(signal.SIGTERM)
        status = self.server.wait(60)
        self.server.stdout.close()
        shutil.rmtree(self.dir)
        if status != 0 and _[0] is None:
            raise Failed(f'the sandbox ended with status {status}')

    def import_once(self, later_s):
        env = {**os.environ, 'OMERO_SERVER': '127.0.0.1', 'OMERO_PORT': str(self.proxy.address), 'OMERO_ROOT_PASSWORD': 'omero',
               'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': os.path.join(self.dir, 'state'), 'IMPOMERO_SERVER_PLAIN_TCP': 'true',
               'IMPOMERO_SERVER_TIMEOUT': str(TIMEOUT_S), 'IMPOMERO_CLOCK': f'1+{later_s}'}
        done = subprocess.run([self.a.impomero, 'import', self.share], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=240)
        if done.returncode not in (0, 1, 4, 5):
            raise Failed(f'exit status {done.returncode}\n{done.stdout}{done.stderr}')
        return done

    def until_done(self):
        """As a person would: again, half a minute later by the program's clock, until there is nothing left to do."""
        for i in range(RUNS_MAX):
            done = self.import_once(i * LATER_S)
            if done.returncode == 0:
                return state_of(self.data)
            time.sleep(0.5)
        raise Failed(f'not done after {RUNS_MAX} runs\n{done.stdout}{done.stderr}')


def strike(a, at, kind, want):
    try:
        with Run(a, at, kind) as run:
            got = run.until_done()
            if got != want:
                raise Failed(f'the state differs: {({k: (got[k], want[k]) for k in want if got[k] != want[k]})}')
            return run.proxy.done, None
    except (Failed, subprocess.TimeoutExpired) as e:
        return True, f'message {at}, {kind}: {e}'


def main():
    p = argparse.ArgumentParser()
    p.add_argument('impomero')
    p.add_argument('sandbox')
    p.add_argument('top')
    p.add_argument('--all', action='store_true')
    p.add_argument('--only', type=int)
    a = p.parse_args()
    with Run(a) as run:
        want = run.until_done()
        n = run.proxy.count
    messages = range(n) if a.only is None else [a.only]
    points = [(i, k) for i in messages for j, k in enumerate(KINDS) if a.all or a.only is not None or j == i % len(KINDS)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda point: strike(a, *point, want), points))
    bad = [why for _, why in results if why]
    for why in bad:
        print(why)
    struck = sum(done for done, _ in results)
    print(f'{n} messages from login to logout, {len(points)} points of harm, {struck} struck')
    print(f'{len(points) - len(bad)} passed, {len(bad)} failed')
    return 1 if bad or struck < 0.9 * len(points) else 0


if __name__ == '__main__':
    sys.exit(main())
