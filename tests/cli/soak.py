#!/usr/bin/env python3
"""Many small filesets through a sandbox over a line that fails now and then, by a printed seed: in the end each is in OMERO exactly
once, and the program has not grown.

usage: soak.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY [--filesets N] [--seed S] [--minutes M]

Memory and descriptors are the most that was seen in a window after the 1,000th fileset (a tenth of them, if they are fewer) and in a
window before the last one.  Ends with status 1 unless there are exactly N images, memory grew by at most 2 MiB and descriptors not.
"""
import argparse
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time

from fault_proxy import Proxy

GROWTH_MAX = 2 << 20
WORKERS = 8
PER_DIRECTORY = 500


class Unsteady(Proxy):
    """Cuts, truncates, delays and holds at random."""

    ODDS = (('cut', 1 / 6000), ('truncate', 1 / 12000), ('delay', 1 / 3000), ('hold', 1 / 60000))

    def __init__(self, port, seed):
        super().__init__(port)
        self.random, self.harm = random.Random(seed), {}

    def choose(self):
        with self.lock:
            self.count += 1
            dice = self.random.random()
            for kind, odds in self.ODDS:
                dice -= odds
                if dice < 0:
                    self.harm[kind] = self.harm.get(kind, 0) + 1
                    return kind
        return None

    def pass_on(self, message, source, to, held):
        kind = self.choose()
        if held.is_set():
            return
        if kind == 'hold':
            held.set()
            return
        if kind == 'delay':
            time.sleep(0.05)
        if kind == 'truncate':
            to.sendall(message[:len(message) // 2])
        if kind in ('cut', 'truncate'):
            raise OSError(kind)
        to.sendall(message)


def tiff(seed):
    """Two grey pixels (TIFF 6.0)."""
    rows = ((256, 2), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 2))
    return b'II*\0' + struct.pack('<I', 10) + struct.pack('<H', seed % 65536) + struct.pack('<H', len(rows)) + b''.join(
        struct.pack('<HHIHH', tag, 3, 1, value, 0) for tag, value in rows) + bytes(4)


def make_share(share, n):
    os.makedirs(share)
    with open(os.path.join(share, 'card.toml'), 'w', encoding='utf-8') as f:
        f.write('# omero annotation file\nproject = "Soak"\nuser = "bob"\ngroup = "lab"\ntags = ["soak"]\n\n[kv_pairs]\nk = "v"\n')
    for i in range(n):
        directory = os.path.join(share, f'd{i // PER_DIRECTORY:03}')
        os.makedirs(directory, exist_ok=True)
        with open(os.path.join(directory, f'{i:06}.tif'), 'wb') as f:
            f.write(tiff(i))


def measure(pid):
    with open(f'/proc/{pid}/status', encoding='ascii') as f:
        rss = next(int(line.split()[1]) * 1024 for line in f if line.startswith('VmRSS'))
    return rss, len(os.listdir(f'/proc/{pid}/fd'))


def one(path, sql):
    """0 while the database is busy or not there yet."""
    try:
        with sqlite3.connect(f'file:{path}?mode=ro', uri=True, timeout=10) as db:
            return db.execute(sql).fetchone()[0]
    except sqlite3.Error:
        return 0


class Windows:
    def __init__(self, n):
        first = min(1000, n // 10)
        width = max(first // 2, 20)
        self.ranges = ((first, first + width), (n - width, n + 1))
        self.most = [(0, 0), (0, 0)]

    def note(self, done, rss, fds):
        for i, (low, high) in enumerate(self.ranges):
            if low <= done < high:
                self.most[i] = (max(self.most[i][0], rss), max(self.most[i][1], fds))


def soak(a, top, n, seed, deadline):
    data, state, share = (os.path.join(top, d) for d in ('server', 'state', 'share'))
    make_share(share, n)
    server = subprocess.Popen([a.sandbox, '--data', data, '--users', os.path.join(a.top, 'sample', 'users.toml'), '--port', '0',
                               '--tcp-port', '0'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    proxy = Unsteady(int(server.stdout.readline().split('tcp=')[1].split()[0]), seed)
    env = {**os.environ, 'OMERO_SERVER': '127.0.0.1', 'OMERO_PORT': str(proxy.address), 'OMERO_ROOT_PASSWORD': 'omero',
           'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': state, 'IMPOMERO_SERVER_PLAIN_TCP': 'true', 'IMPOMERO_SERVER_TIMEOUT': '5'}
    with open(os.path.join(top, 'log'), 'wb') as log:
        watch = subprocess.Popen([a.impomero, 'watch', f'--workers={WORKERS}', '--log-level=error', share], env=env,
                                 stdin=subprocess.DEVNULL, stderr=log)
    windows, done, began = Windows(n), 0, time.monotonic()
    while done < n and time.monotonic() < deadline and watch.poll() is None:
        time.sleep(0.2)
        done = one(os.path.join(state, 'ledger.db'), "select count(*) from fileset where state = 'done'")
        windows.note(done, *measure(watch.pid))
    took = time.monotonic() - began
    watch.send_signal(signal.SIGTERM)
    status = watch.wait(120)
    images = one(os.path.join(data, 'sandbox.db'), 'select count(*) from Image')
    filesets = one(os.path.join(data, 'sandbox.db'), 'select count(*) from Fileset')
    proxy.close()
    server.send_signal(signal.SIGTERM)
    overlaps = server.wait(60)
    server.stdout.close()
    (rss, fds), (rss_end, fds_end) = windows.most
    print(f'{done} of {n} filesets done in {took:.0f} s, {images} images, {filesets} filesets in OMERO; {proxy.count} messages, harm: '
          f'{dict(sorted(proxy.harm.items()))}')
    print(f'memory {rss / 1e6:.1f} -> {rss_end / 1e6:.1f} MB ({(rss_end - rss) / 2 ** 20:+.2f} MiB), descriptors {fds} -> {fds_end}')
    return status == 0 and overlaps == 0 and done == images == filesets == n and rss_end - rss <= GROWTH_MAX and fds_end <= fds


def main():
    p = argparse.ArgumentParser()
    p.add_argument('impomero')
    p.add_argument('sandbox')
    p.add_argument('top')
    p.add_argument('--filesets', type=int, default=1000)
    p.add_argument('--seed', type=int, default=random.SystemRandom().randrange(1 << 32))
    p.add_argument('--minutes', type=float, default=60)
    p.add_argument('--keep', metavar='DIR', help='work here and leave it')
    a = p.parse_args()
    print(f'seed {a.seed}', flush=True)
    top = a.keep or tempfile.mkdtemp(prefix='impomero-soak-')
    threading.stack_size(256 * 1024)
    try:
        good = soak(a, top, a.filesets, a.seed, time.monotonic() + 60 * a.minutes)
    finally:
        if not a.keep:
            shutil.rmtree(top, ignore_errors=True)
    print('1 passed, 0 failed' if good else '0 passed, 1 failed')
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
