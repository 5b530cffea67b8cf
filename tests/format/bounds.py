#!/usr/bin/env python3
"""Broken and hostile files, one directory each: `impomero groups` ends in order, in bounded CPU time and memory, with a word on each file.

usage: bounds.py IMPOMERO DOC_FORMATS [--sanitized]     (a sanitizer's own time and memory are not the program's)
"""
import json
import os
import re
import resource
import struct
import subprocess
import sys
import tempfile

CPU_S, MEMORY_MIB = (600, 16000) if '--sanitized' in sys.argv else (60, 160)
GIB = 1 << 30
BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "ha">' + ''.join(
    f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(12)) + ']><a Harmony="1" PV="1">&a12;</a>'
NESTED = '<a>' * 300000
MANY = 100000


def tiff(tags, following=0, big=False):
    """The first directory of a TIFF: [(tag, type, count, value)] (TIFF 6.0; BigTIFF has 8 byte numbers)."""
    if big:
        rows = b''.join(struct.pack('<HHQQ', *t) for t in tags)
        return b'II+\0' + struct.pack('<HHQQ', 8, 0, 16, len(tags)) + rows + struct.pack('<Q', following)
    rows = b''.join(struct.pack('<HHII', *t) for t in tags)
    return b'II*\0' + struct.pack('<IH', 8, len(tags)) + rows + struct.pack('<I', following)


def masters():
    """Those that name others, and how each says a name: (file, before all, one name, after all)."""
    return [('x.afi', '<ImageList>', '<Path>{}</Path>', '</ImageList>'),
            ('x.ndpis', '[NanoZoomer Digital Pathology Image Set]\nNoImages=100000\n', 'Image{n}={}\n', ''),
            ('x.vms', '[Virtual Microscope Specimen]\n', 'ImageFile({n},0)={}\n', ''),
            ('metadata.txt', '{"Summary": {"MicroManagerVersion": "micromanager"}', ', "F{n}": {{"FileName": "{}"}}', '}'),
            ('Index.idx.xml', '<!-- Harmony --><I>', '<URL>{}</URL>', '</I>'),
            ('x.xlef', '<LMSDataContainerHeader>', '<Reference File="{}"/>', '</LMSDataContainerHeader>'),
            ('x.companion.ome', '<OME>', '<Image><Pixels><TiffData><UUID FileName="{}">u{n}</UUID></TiffData></Pixels></Image>', '</OME>'),
            ('x.xml', '<PVScan>', '<File filename="{}"/>', '</PVScan>'),
            ('x.nhdr', 'NRRD0004\n', 'data file: {}\n', ''),
            ('x.mdb', '\0\1\0\0Standard Jet DB\0ID\0SampleData', '{}.lsm\0', '')]


def hostile(suffixes):
    """{what it is: {file: bytes, or (bytes, size of a sparse file)}}"""
    everything = {f'x{i}.{s}': s for i, s in enumerate(suffixes)}
    yield 'zero bytes', {name: b'' for name in everything}
    yield 'foreign content', {name: b'This is no image at all.\n' * 20 for name in everything}
    yield 'zeros', {name: bytes(5000) for name in everything}
    yield '4 GiB of nothing', {name: (b'', 4 * GIB) for name in everything}
    yield 'a TIFF of 4 GiB', {f'{name}': (tiff([(256, 3, 1, 1)]), 4 * GIB) for name in everything}
    yield 'directories in a circle', {'x.tif': tiff([(256, 3, 1, 1)], following=8), 'y.tif': tiff([(256, 3, 1, 1)], following=16, big=True)}
    yield 'tags of 2^32 values', {'x.tif': tiff([(t, 2, 0xFFFFFFFF, 8) for t in (270, 271, 273, 279, 305, 306, 700, 33432)])}
    yield 'tags of 2^62 values', {'x.tif': tiff([(t, 16, 1 << 62, 8) for t in (270, 271, 273, 279, 305, 306, 700, 33432)], big=True)}
    yield 'a description of 4 GiB', {'x.ome.tif': (tiff([(270, 2, 0xFFFFFF00, 100)]) + bytes(64) + b'<?xml version="1.0"?><OME>', 4 * GIB)}
    yield 'a LIF with a header of 8 GiB', {'x.lif': (b'\x70\0\0\0\xFF\xFF\xFF\xFF\x2A\xFF\xFF\xFF\xFF', 9 * GIB)}
    for name in ('x.afi', 'x.xlef', 'x.xlif', 'x.omp2info', 'Index.idx.xml', 'experiment_descriptor.xml', 'x.ome', 'x.companion.ome', 'x.xml',
                 'x.tif_meta.xml', 'x.xdce'):
        yield f'entities in {name}', {name: BOMB.encode()}
        yield f'300,000 elements within one another in {name}', {name: NESTED.encode()}
    description = BOMB.replace('<a ', '<OME ').replace('</a>', '</OME>').encode()
    yield 'entities in a TIFF', {'x.tif': tiff([(270, 2, len(description), 26)]) + description}
    for name, before, one, after in masters():
        yield f'{name} names 100,000 files', {name: (before + ''.join(one.format(f'file_{n:06}.tif', n=n) for n in range(MANY)) + after).encode('latin-1')}
        yield f'{name} leads out', {name: (before + ''.join(one.format(p, n=n) for n, p in enumerate(
            ('../../etc/passwd', '/etc/passwd', '..\\..\\x.tif', 'a/../../../x.tif', '~/x.tif'))) + after).encode('latin-1')}
    yield 'a pattern of 10^12 files', {'x.pattern': b'a<0-999999>b<0-999999>.tif'}
    yield 'an .nd of 10^12 planes', {'x.nd': b'"NDInfoFile", Version 1.0\r\n"DoTimelapse", TRUE\r\n"NTimePoints", 999999\r\n"DoStage", TRUE\r\n"NStagePositions", 999999\r\n'}
    yield 'a PIC of endless notes', {'x.pic': (struct.pack('<hhhhhihh', 1, 1, 1, 0, 0, 1, 1, 0).ljust(54, b'\0') + b'90' + bytes(21) + b'\1\0\1\0\0\0' * 4000, 4 * GIB)}
    yield 'a database of 200 MiB', {'x.mdb': (b'\0\1\0\0Standard Jet DB\0ID', 200 << 20)}


def write(directory, files):
    for name, data in files.items():
        data, size = data if isinstance(data, tuple) else (data, len(data))
        with open(os.path.join(directory, name), 'wb') as f:
            f.write(data)
            f.truncate(size)


def ends_in_order(exe, directory, files):
    """What is wrong; empty: nothing."""
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen([exe, 'groups', '--json', directory], stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S)))
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = status
        out.seek(0)
        text = out.read()
    if status != 0:
        return f'status {status}, {used.ru_utime + used.ru_stime:.1f} s of CPU time: {text[-300:]!r}'
    if used.ru_maxrss > MEMORY_MIB << 10:
        return f'{used.ru_maxrss >> 10} MiB of memory'
    said = json.loads(text)
    seen = {f for g in said['groups'] for f in g['files']} | {e['path'] for e in said['skipped'] + said['deferred']}
    return '' if seen == set(files) else f'nothing is said of {sorted(set(files) - seen)}'


def main():
    exe, page = sys.argv[1:3]
    with open(page, encoding='utf-8') as f:
        columns = [line.split(' | ')[1].replace('\\', '') for line in f if line.startswith('| ') and line.count(' | ') >= 4]
    suffixes = sorted({s for c in columns for s in re.findall(r'[a-z0-9_.]+', c.lower()) if c != 'any name'})
    failed = n = 0
    for what, files in hostile(suffixes):
        with tempfile.TemporaryDirectory() as directory:
            write(directory, files)
            wrong = ends_in_order(exe, directory, files)
        n += 1
        failed += bool(wrong)
        if wrong:
            print(f'{what}: {wrong}')
    print(f'{n - failed} passed, {failed} failed')
    return failed > 0 or n == 0


if __name__ == '__main__':
    sys.exit(main())
