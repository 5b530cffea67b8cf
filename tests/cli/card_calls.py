#!/usr/bin/env python3
"""A changed card on a dataset of many images: how many calls of the server it takes.  They are to be at most 12, and 2 for each 5,000
links to tags that come or go; keys, values and comment cost no call an image.

usage: card_calls.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY [IMAGES]      (default 10,000)

Calls are those of the card's user, without the login, the registering of proxies with the router, and the getting of services;
a command counts once, however often it is asked whether it is done.
"""
import os
import re
import struct
import sys
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]
IMAGES = int(sys.argv[4]) if len(sys.argv) > 4 else 10000
BATCH = 5000
NO_CALLS = re.compile(r'addProxies|createSession|destroySession|get\w+Service |getEventContext|closeSession|keepAlive|Handle\.')
CARD = '# omero annotation file\nproject = "Many"\nuser = "bob"\ngroup = "lab"\ncomment = "{0}"\ntags = [{1}]\n\n[kv_pairs]\nkey = "{0}"\n'


def ome_tiff(n):
    """n images of one pixel, which is the same for all of them (OME-TIFF specification)."""
    pixels = '<Pixels ID="Pixels:{0}" DimensionOrder="XYZCT" Type="uint8" SizeX="1" SizeY="1" SizeZ="1" SizeC="1" SizeT="1">' \
             '<Channel ID="Channel:{0}:0" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="1"/></Pixels>'
    images = ''.join(f'<Image ID="Image:{i}" Name="i{i}">{pixels.format(i)}</Image>' for i in range(n))
    xml = f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">{images}</OME>'.encode() + b'\0'
    rows = ((256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (270, 2, len(xml), 200), (273, 4, 1, 190),
            (277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 1))
    ifd = struct.pack('<H', len(rows)) + b''.join(
        struct.pack('<HHI', tag, kind, count) + (struct.pack('<HH', v, 0) if kind == 3 else struct.pack('<I', v))
        for tag, kind, count, v in rows) + bytes(4)
    return (b'II*\0' + struct.pack('<I', 8) + ifd).ljust(200, b'\0') + xml


class CardCalls(Served):
    def write(self, text, tags):
        with open(os.path.join(self.many, 'card.toml'), 'w', encoding='utf-8') as f:
            f.write(CARD.format(text, ', '.join(f'"{t}"' for t in tags)))

    def calls(self):
        """Of the card's user: the second connection of a run."""
        said = self.run_it('import', '--trace=wire', self.many)
        found = re.findall(r'^trace: [2-9] > \d+ (\S+ ?)', said, re.M)
        return [c.strip() for c in found if not NO_CALLS.search(c + ' ')]

    def test_calls(self):
        self.many = os.path.join(self.dir, 'many')
        os.makedirs(self.many)
        with open(os.path.join(self.many, 'many.ome.tif'), 'wb') as f:
            f.write(ome_tiff(IMAGES))
        self.write('before', ['one', 'two'])
        self.assertIn(f'({IMAGES} images)', self.run_it('import', self.many))
        for what, text, tags, links in (('text', 'after', ['one', 'two'], 0), ('a tag more', 'after', ['one', 'two', 'three'], IMAGES),
                                        ('a tag less', 'after', ['two', 'three'], IMAGES),
                                        ('all of it', 'last', ['four', 'five'], 4 * IMAGES)):
            self.write(text, tags)
            calls = self.calls()
            most = 12 + 2 * ((links + BATCH - 1) // BATCH)
            print(f'{IMAGES} images, {what}: {len(calls)} calls, at most {most}')
            self.assertLessEqual(len(calls), most, calls)


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
