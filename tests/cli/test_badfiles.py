#!/usr/bin/env python3
"""Bad input from the tree: files, names, directories and cards, one row of a table each, played as in test_faults.py: the
message says where, what and what to do, and once it is mended everything is in OMERO exactly once.

usage: test_badfiles.py IMPOMERO OMERO_SANDBOX USERS_TOML [ROW...]
"""
import hashlib
import os
import subprocess
import sys
import time

import test_faults as faults
from mapping import png
from test_faults import IMAGES, IMPOMERO, OK, SOME, Row, tiff, without_root_rights

MIB = 1 << 20


def later(*steps):
    """What is made before the import or mended after it; one image more is to come."""
    def do(bed):
        bed.n_images = IMAGES + 1
        for step in steps:
            step(bed)
    return do


def put(name, data):
    return lambda bed: bed.put(name, data)


def put_bytes(name, data):
    def do(bed):
        with open(bytes(bed.share) + b'/' + name, 'wb') as f:
            f.write(data)
    return do


def remove(name):
    return lambda bed: os.remove(bytes(bed.share) + b'/' + name if isinstance(name, bytes) else bed.share / name)


def rename(old, new):
    return lambda bed: os.rename(bytes(bed.share) + b'/' + old, bytes(bed.share) + b'/' + new)


def closed(name):
    def do(bed):
        without_root_rights(bed)
        (bed.share / name).chmod(0)
    return do


def opened(name, mode):
    return lambda bed: (bed.share / name).chmod(mode)


def folder(name):
    return lambda bed: (bed.share / name).mkdir()


def far_away(parts, n):
    """Two images behind many long names: made from within, for no call takes the path whole with the share's own before it."""
    def do(bed):
        at = os.open(bed.share, os.O_RDONLY)
        for _ in range(parts):
            os.mkdir('d' * n, dir_fd=at)
            at, above = os.open('d' * n, os.O_RDONLY, dir_fd=at), at
            os.close(above)
        for i in range(2):
            with os.fdopen(os.open('f' * n + f'{i}.tif', os.O_WRONLY | os.O_CREAT, dir_fd=at), 'wb') as f:
                f.write(tiff(50 + i))
        os.close(at)
        bed.n_images = IMAGES + 2
    return do


def not_far(bed):
    subprocess.run(['rm', '-rf', *bed.share.glob('d*')], check=True)
    for i in range(2):
        bed.put(f'near{i}.tif', tiff(50 + i))


def card_with(text):
    return lambda bed: bed.put('c.toml', bed.card() + text)


def good_card(bed):
    bed.put('c.toml', bed.card())


def imported_before(bed):
    status, out = bed.go()
    assert status == OK, out


ROWS = [
    Row('a truncated image', SOME, ('/bad.tif', 'damaged or cut short', 'copy the file again'), make=later(put('bad.tif', tiff(9)[:40])),
        mend=put('bad.tif', tiff(9))),
    Row('an empty image', SOME, ('/bad.tif', 'the file is empty', 'copy the file again'), make=later(put('bad.tif', b'')),
        mend=put('bad.tif', tiff(9))),
    Row('an image of which the pixels are cut off', SOME, ('/bad.png', ('damaged', 'could not import')),
        make=later(put('bad.png', png()[:45])), mend=put('bad.png', png())),
    Row('a file that cannot be read', SOME, ('/bad.tif', 'cannot be read', 'ermission denied', 'the right to read'),
        make=later(put('bad.tif', tiff(9)), closed('bad.tif')), mend=opened('bad.tif', 0o644)),
    Row('a directory that cannot be read', SOME, ('/sub', 'cannot be read', 'the right to read'),
        make=later(folder('sub'), put('sub/a.tif', tiff(9)), closed('sub')), mend=opened('sub', 0o755)),
    Row('a card that cannot be read', SOME, ('/c.toml', 'cannot be read', 'the right to read'), make=closed('c.toml'),
        mend=opened('c.toml', 0o644)),
    Row('a name that is not UTF-8', SOME, ('/bad\\xE9.tif', 'not UTF-8', 'rename it'), make=later(put_bytes(b'bad\xe9.tif', tiff(9))),
        mend=rename(b'bad\xe9.tif', 'badé.tif'.encode())),
    Row('a name with newlines and other control characters', OK, ('new\\nline\\x1B[2J.tif', '4 imported'),
        make=later(put('new\nline\x1b[2J.tif', tiff(9))), mend=lambda bed: None),
    Row('a path of 4,000 bytes', OK, ('f' * 239 + '1.tif -> ', '5 imported'), make=far_away(16, 239), mend=lambda bed: None),
    Row('a path that is too long to be opened', SOME, ('f' * 239 + '0.tif', 'longer', 'shorten it'), make=far_away(17, 239), mend=not_far),
    Row('a card of 10 MB', SOME, ('/c.toml:1', 'more than', 'bytes'),
        make=card_with('comment = "' + 'x' * (10 * MIB) + '"\n'), mend=good_card),
    Row('another TOML file of 10 MB', OK, ('3 imported',), make=put('data.toml', 'x = "' + 'x' * (10 * MIB) + '"\n'), mend=lambda bed: None),
    Row('a value that OMERO cannot store', SOME, ('/c.toml:6', "value of 'k'", 'longer', 'shorten it'),
        make=card_with('[kv_pairs]\nk = "' + ''.join(chr(0x4e00 + i * 37 % 20000) for i in range(900)) + '"\n'), mend=good_card),
    Row('a key that OMERO cannot store', SOME, ('/c.toml:7', "key 'kkkk", 'longer', 'shorten it'),
        make=card_with('[kv_pairs]\na = "b"\n' + 'k' * 2601 + ' = "v"\n'), mend=good_card),
    Row('a card that breaks after an import', SOME, ('/c.toml:5', 'card cannot be read', 'mend'),
        make=later(imported_before, put('bad.tif', tiff(9)), card_with('tags = [\n')), mend=good_card),
]


# ---- what happens while it is read ----

def checksums(bed):
    """SHA-1 of what OMERO holds."""
    return sorted(hashlib.sha1(p.read_bytes()).hexdigest() for p in (bed.data / 'ManagedRepository').rglob('*.tif'))


def under_way(change, fault, words, status, n_images):
    """While the server keeps an upload of it waiting, a file is changed."""
    def do():
        bed = faults.Bed((fault,))
        try:
            for i in range(1, IMAGES):
                (bed.share / f'{i}.tif').unlink()
            bed.n_images, bed.env['IMPOMERO_SERVER_TIMEOUT'] = n_images, '60'
            program = subprocess.Popen([IMPOMERO, 'import', bed.share], env=bed.env, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            faults.wait_for(lambda: bed.in_omero()['Fileset'] > 0)
            time.sleep(0.5)  # the call is on its way: before it, the change would be seen by another check, to the same end
            change(bed)
            bed.calm()
            out, _ = program.communicate(timeout=120)
            assert program.returncode == status, (program.returncode, out)
            faults.check_words(words, out)
            if n_images:
                faults.once(bed)
            got = bed.in_omero()
            assert (got['Image'], got['Fileset']) == (n_images, n_images), got
            want = sorted(hashlib.sha1(p.read_bytes()).hexdigest() for p in bed.share.glob('*.tif') if not p.is_symlink())
            assert checksums(bed) == want, (checksums(bed), want)
            bed.stop()
        finally:
            bed.close()
    return do


def grow(bed):
    with open(bed.share / '0.tif', 'ab') as f:
        f.write(b'more')


def elsewhere(bed):
    (bed.top / 'secret.tif').write_bytes(tiff(77))
    (bed.share / '0.tif').unlink()
    (bed.share / '0.tif').symlink_to(bed.top / 'secret.tif')


def replaced(bed):
    (bed.top / 'new.tif').write_bytes(tiff(78))
    os.rename(bed.top / 'new.tif', bed.share / '0.tif')


UNDER_WAY = {
    'a file that changes while it is sent': under_way(put('0.tif', tiff(42)), 'pause-write', ('1 imported',), OK, 1),
    'a file that grows while it is sent': under_way(grow, 'pause-write', ('1 imported',), OK, 1),
    'a file that is replaced while it is sent': under_way(replaced, 'pause-write', ('1 imported',), OK, 1),
    'a file that vanishes while it is sent': under_way(remove('0.tif'), 'pause-write', ('/0.tif', 'vanished', 'nothing, if it was removed on purpose'), SOME, 0),
    'a file that becomes a link while it is sent': under_way(elsewhere, 'pause-write', ('/0.tif', 'a symbolic link', 'put the file itself there'), SOME, 0),
}


def main():
    faults.TIMEOUT_S = 30  # the server is well here, and a slow build of it may take its time
    faults.run_all(list(UNDER_WAY.items()) + [(r.name, lambda r=r: faults.play(r)) for r in ROWS])


if __name__ == '__main__':
    main()
