#!/usr/bin/env python3
"""What 50 ms more of round trip cost an upload: one file of 1 GiB, and 8 files of a set at once, against the same
without them.

usage: round_trip.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY [--mib N] [--rounds N]      (default 1024: the size of the one file; the 8 have N/8 each)

A rate is bytes by the time from the first block's departure to the last one's, through the same proxy with and without the delay.
All lies in memory (/dev/shm): the second of two uploads would wait for the disk to take the first.
Prints both ratios, of medians of several rounds; at least 0.6 and 0.9 are wanted, and the exit status says so.
"""
import argparse
import collections
import os
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time

TRIP_S = 0.05
BLOCK = 256 * 1024
WANTED = {'one file': 0.6, '8 files': 0.9}


class Line:
    """A connection's one direction: what comes in goes out after a while, and nothing is held back for want of room."""

    def __init__(self, source, to, delay, note):
        self.source, self.to, self.delay, self.note = source, to, delay, note
        self.queue, self.ready = collections.deque(), threading.Condition()
        for work in (self.take, self.give):
            threading.Thread(target=work, daemon=True).start()

    def take(self):
        while True:
            try:
                data = self.source.recv(BLOCK)
            except OSError:
                data = b''
            if self.note:
                self.note(len(data))
            with self.ready:
                self.queue.append((time.monotonic() + self.delay, data))
                self.ready.notify()
            if not data:
                return

    def give(self):
        while True:
            with self.ready:
                while not self.queue:
                    self.ready.wait()
                due, data = self.queue.popleft()
            time.sleep(max(0, due - time.monotonic()))
            try:
                if not data:
                    self.to.shutdown(socket.SHUT_WR)
                    return
                self.to.sendall(data)
            except OSError:
                return


class Slow:
    def __init__(self, port, trip):
        self.port, self.trip = port, trip
        self.times = []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.address = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def note(self, n):
        """Of what the client sends: pieces of blocks are large."""
        if n >= BLOCK // 4:
            self.times.append((time.monotonic(), n))

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(('127.0.0.1', self.port))
            for s in (client, server):
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Line(client, server, self.trip / 2, self.note)
            Line(server, client, self.trip / 2, None)


def ome_set(directory, files, mib):
    """A set of files, a time point in each (OME-TIFF specification): grey, 8 bits, one strip, which is a hole in the file."""
    side, rows = 1024, 1024 * mib
    planes = ''.join(f'<TiffData FirstT="{i}" IFD="0" PlaneCount="1"><UUID FileName="{i}.ome.tif">urn:uuid:00000000-0000-4000-8000-'
                     f'{i:012}</UUID></TiffData>' for i in range(files))
    for i in range(files):
        xml = (f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:00000000-0000-4000-8000-'
               f'{i:012}"><Image ID="Image:0" Name="set"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="{side}" '
               f'SizeY="{rows}" SizeZ="1" SizeC="1" SizeT="{files}"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>{planes}</Pixels>'
               '</Image></OME>').encode() + b'\0'
        tags = ((256, 4, 1, side), (257, 4, 1, rows), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (270, 2, len(xml), 200),
                (273, 4, 1, 8192), (277, 3, 1, 1), (278, 4, 1, rows), (279, 4, 1, side * rows))
        with open(os.path.join(directory, f'{i}.ome.tif'), 'wb') as f:
            f.write((b'II*\0' + struct.pack('<I', 8) + struct.pack('<H', len(tags)) + b''.join(
                struct.pack('<HHI', t, k, n) + (struct.pack('<HH', v, 0) if k == 3 else struct.pack('<I', v))
                for t, k, n, v in tags) + bytes(4)).ljust(200, b'\0') + xml)
            f.truncate(8192 + side * rows)


def rate(a, files, mib, trip):
    """MB/s."""
    top = tempfile.mkdtemp(prefix='impomero-trip-', dir='/dev/shm' if os.path.isdir('/dev/shm') else None)
    share = os.path.join(top, 'share')
    os.makedirs(share)
    with open(os.path.join(share, 'card.toml'), 'w', encoding='utf-8') as f:
        f.write('# omero annotation file\nproject = "Trip"\nuser = "bob"\ngroup = "lab"\n')
    ome_set(share, files, mib)
    server = subprocess.Popen([a.sandbox, '--data', os.path.join(top, 'server'), '--users', os.path.join(a.top, 'sample', 'users.toml'),
                               '--port', '0', '--tcp-port', '0'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    slow = Slow(int(server.stdout.readline().split('tcp=')[1].split()[0]), trip)
    env = {**os.environ, 'OMERO_SERVER': '127.0.0.1', 'OMERO_PORT': str(slow.address), 'OMERO_ROOT_PASSWORD': 'omero',
           'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': os.path.join(top, 'state'), 'IMPOMERO_SERVER_PLAIN_TCP': 'true'}
    try:
        subprocess.run([a.impomero, 'import', f'--uploads={files}', share], env=env, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        server.stdout.close()
        shutil.rmtree(top)
    seconds = slow.times[-1][0] - slow.times[0][0]
    return sum(n for _, n in slow.times) / seconds / 1e6


def main():
    p = argparse.ArgumentParser()
    p.add_argument('impomero')
    p.add_argument('sandbox')
    p.add_argument('top')
    p.add_argument('--mib', type=int, default=1024)
    p.add_argument('--rounds', type=int, default=5)
    a = p.parse_args()
    good = True
    for what, files, mib in (('one file', 1, a.mib), ('8 files', 8, a.mib // 8)):
        pairs = [(rate(a, files, mib, 0), rate(a, files, mib, TRIP_S)) for _ in range(a.rounds)]
        near, far = (statistics.median(rates) for rates in zip(*pairs))
        each = ' '.join(f'{slow / fast:.2f}' for fast, slow in pairs)
        print(f'{what} of {mib} MiB: {near:.0f} MB/s, with 50 ms more {far:.0f} MB/s: {far / near:.2f} (wanted {WANTED[what]}); rounds: {each}', flush=True)
        good &= far / near >= WANTED[what]
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
