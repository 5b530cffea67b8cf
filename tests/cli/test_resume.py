#!/usr/bin/env python3
"""A large upload whose connection is cut again and again goes on in the same session from the block that was not answered.

usage: test_resume.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY
"""
import os
import sqlite3
import struct
import subprocess
import sys
import unittest

from fault_proxy import Proxy
from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]
SIDE = 8192
BLOCK = 500000  # a message of more bytes is a write
CUTS = 4


class Cutting(Proxy):
    """Cuts the connection at a write when 4 MiB have passed since the last cut: blocks grow with the speed of the way."""

    def __init__(self, port):
        super().__init__(port)
        self.cuts = self.bytes = self.since = 0

    def pass_on(self, message, source, to, held):
        if len(message) > BLOCK:
            if self.since > 4 << 20 and self.cuts < CUTS:
                self.cuts += 1
                self.since = 0
                raise OSError('cut')
            self.bytes += len(message)
            self.since += len(message)
        to.sendall(message)


class Resume(Served):
    sandbox_args = ('--tcp-port', '0')

    def big_tiff(self, path):
        """Grey, 8 bits, one strip (TIFF 6.0); mostly a hole in the file."""
        rows = ((256, 4, SIDE), (257, 4, SIDE), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8192), (277, 3, 1), (278, 4, SIDE),
                (279, 4, SIDE * SIDE))
        ifd = struct.pack('<H', len(rows)) + b''.join(
            struct.pack('<HHI', tag, kind, 1) + (struct.pack('<HH', v, 0) if kind == 3 else struct.pack('<I', v)) for tag, kind, v in rows)
        with open(path, 'wb') as f:
            f.write(b'II*\0' + struct.pack('<I', 8) + ifd + bytes(4))
            f.truncate(8192 + SIDE * SIDE)
            f.seek(8192 + SIDE * SIDE // 2)
            f.write(os.urandom(100000))

    def test_it_goes_on(self):
        share = os.path.join(self.dir, 'big')
        os.makedirs(share)
        self.big_tiff(os.path.join(share, 'big.tif'))
        with open(os.path.join(share, 'card.toml'), 'w', encoding='utf-8') as f:
            f.write('# omero annotation file\nproject = "Big"\nuser = "bob"\ngroup = "lab"\n')
        proxy = Cutting(int(self.tcp_port))
        self.addCleanup(proxy.close)
        said = self.run_it('import', share, OMERO_SERVER='127.0.0.1', OMERO_PORT=str(proxy.address), IMPOMERO_SERVER_PLAIN_TCP='true')
        self.assertIn('1 imported', said)
        self.assertGreaterEqual(proxy.cuts, 2)
        size = os.path.getsize(os.path.join(share, 'big.tif'))
        self.assertLess(proxy.bytes, size * 1.2)  # starting anew would have sent much of it again
        with sqlite3.connect(os.path.join(self.data, 'sandbox.db')) as db:
            found = db.execute("select size, hash from OriginalFile where name = 'big.tif'").fetchall()
            filesets = db.execute('select count(*) from Fileset').fetchone()[0]
            sessions = db.execute('select count(*) from Session where closed is null').fetchone()[0]
        db.close()
        sha1 = subprocess.run(['sha1sum', os.path.join(share, 'big.tif')], capture_output=True, text=True, check=True).stdout.split()[0]
        self.assertEqual((found, filesets, sessions), ([(size, sha1)], 1, 0))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
