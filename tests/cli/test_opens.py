#!/usr/bin/env python3
"""How often files are opened, counted by the kernel (inotify(7)): each once in the first look, none in the next.

usage: test_opens.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY
"""
import ctypes
import os
import struct
import sys
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]
IN_OPEN, IN_ISDIR = 0x20, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


class Opens:
    """What is opened below a directory while the block runs: {path: times}."""

    def __init__(self, top):
        self.fd, self.dirs, self.seen = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC), {}, {}
        for where, _, _ in os.walk(top):
            self.dirs[libc.inotify_add_watch(self.fd, os.fsencode(where), IN_OPEN)] = where

    def __enter__(self):
        self.take()
        self.seen.clear()
        return self.seen

    def __exit__(self, *_):
        self.take()
        os.close(self.fd)

    def take(self):
        while True:
            try:
                events = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return
            while events:
                wd, mask, _, n = struct.unpack_from('iIII', events)
                name, events = events[16:16 + n].rstrip(b'\0').decode(), events[16 + n:]
                if not mask & IN_ISDIR:
                    path = os.path.join(self.dirs[wd], name)
                    self.seen[path] = self.seen.get(path, 0) + 1


class Looks(Served):
    def setUp(self):
        super().setUp()
        self.images = os.path.join(self.share, 'gut', 'many')
        os.makedirs(os.path.join(self.images, 'deep'))
        for i in range(300):
            self.put(f'page_{i}.pgm', b'P5\n1 1\n255\n' + bytes([i % 256]))
            self.put(f'deep/plane_{i}.tif', b'II*\0')
            self.put(f'notes_{i}.txt', b'notes')
        self.put('x.nd', b'"NDInfoFile", Version 1.0\r\n"DoTimelapse", TRUE\r\n"NTimePoints", 2\r\n')

    def put(self, name, data):
        with open(os.path.join(self.images, name), 'wb') as f:
            f.write(data)

    def opened(self, *args):
        """Without cards, which are read in each look.  The clock is ahead, for what is young may change within its time stamp."""
        with Opens(self.share) as seen:
            self.run_it(*args, status=4, OMERO_PORT='1', IMPOMERO_CLOCK='1+60')
        return {path: n for path, n in seen.items() if not path.endswith('.toml') and not path.endswith('card.txt')}

    def test_a_file_is_opened_once_and_one_that_is_known_never(self):
        first = self.opened('import', '--quiet', self.share)
        self.assertEqual({n for path, n in first.items() if path.startswith(self.images)}, {1})
        self.assertEqual(len([path for path in first if path.startswith(self.images)]), 901)
        self.assertEqual(self.opened('import', '--quiet', self.share), {})

    def test_groups_opens_each_file_once(self):
        with Opens(self.images) as seen:
            self.run_it('groups', self.images)
        self.assertEqual((len(seen), set(seen.values())), (901, {1}))


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1])
