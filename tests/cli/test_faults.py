#!/usr/bin/env python3
"""Bad input from the server, the ledger and the disk: one row of a table a fault.

Each row breaks something, runs `impomero import`, and holds exit status and message against what a person needs: where, what, what to
do.  Then the fault is mended, and everything must be in OMERO exactly once.

usage: test_faults.py IMPOMERO OMERO_SANDBOX USERS_TOML [STATFS_OF_A_SHARE.so] [ROW...]
"""
import concurrent.futures
import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import traceback

IMPOMERO, SANDBOX, USERS = map(os.path.abspath, sys.argv[1:4])
SHIM = next((a for a in sys.argv[4:] if a.endswith('.so')), None)
ONLY = [a for a in sys.argv[4:] if not a.endswith('.so')]
OK, SOME, CONFIG, SERVER, LOGIN, BUSY, STATE = 0, 1, 3, 4, 5, 6, 7  # `impomero --help`
IMAGES = 3
HOUR_MS = 3600 * 1000
TIMEOUT_S = 4


def tiff(grey):
    """A TIFF of one pixel (TIFF 6.0)."""
    rows = ((256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 1))
    return b'II*\0' + struct.pack('<I', 10) + bytes((grey % 256, 0)) + struct.pack('<H', len(rows)) + b''.join(
        struct.pack('<HHIHH', tag, 3, 1, value, 0) for tag, value in rows) + bytes(4)


class Bed:
    """A share with a card and images, a sandbox with its faults, a state directory."""

    def __init__(self, faults):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix='impomero-faults-'))
        self.share, self.state, self.data = self.top / 'share', self.top / 'state', self.top / 'server'
        self.share.mkdir()
        self.put('c.toml', self.card())
        for i in range(IMAGES):
            self.put(f'{i}.tif', tiff(i))
        self.prefix, self.port, self.n_images = [], '0', IMAGES
        self.env = {**os.environ, 'OMERO_SERVER': 'localhost', 'OMERO_ROOT_PASSWORD': 'omero', 'IMPOMERO_SETTLE': '0',
                    'IMPOMERO_STATE': str(self.state), 'IMPOMERO_SERVER_TIMEOUT': str(TIMEOUT_S)}
        self.start(faults)

    def start(self, faults=()):
        self.log = open(self.top / 'log', 'a+', encoding='utf-8')
        self.server = subprocess.Popen([SANDBOX, '--data', self.data, '--users', USERS, '--port', self.port, *(f'--fault={f}' for f in faults)],
                                       stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.server.stdout.readline()
        assert line.startswith('ready ssl='), line
        self.port = self.env['OMERO_PORT'] = line.split('ssl=')[1].split()[0]

    def stop(self):
        """It ends with another status when it saw two calls at a time on one stateful service."""
        self.server.terminate()
        status = self.server.wait(60)
        self.server.stdout.close()
        self.log.seek(0)
        said = self.log.read()
        self.log.close()
        assert status == 0, said

    def close(self):
        if self.server.poll() is None:
            self.server.kill()
            self.server.wait()
        shutil.rmtree(self.top)

    def calm(self):
        self.server.send_signal(signal.SIGUSR1)

    def put(self, name, data):
        (self.share / name).write_bytes(data if isinstance(data, bytes) else data.encode())

    def card(self, user='alice', group='lab'):
        return f'# omero annotation file\nproject = "P"\nuser = "{user}"\ngroup = "{group}"\n'

    def run(self, *args):
        done = subprocess.run([*self.prefix, IMPOMERO, *args], env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=200,
                              check=False)
        return done.returncode, done.stdout + done.stderr

    def go(self):
        return self.run('import', '--again', str(self.share))

    def ledger(self, sql):
        path = self.state / 'ledger.db'
        if self.prefix[:1] == ['nsenter']:  # SQLite follows the link of /proc, and then the name lies elsewhere
            path = shutil.copy(path, self.top / 'copy.db')
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            return db.execute(sql).fetchall()

    def in_omero(self):
        with contextlib.closing(sqlite3.connect(f'file:{self.data}/sandbox.db?mode=ro', uri=True)) as db:
            return {t: db.execute(f'select count(*) from {t}').fetchone()[0] for t in ('Image', 'Fileset', 'Dataset', 'Project')}


@dataclasses.dataclass
class Row:
    name: str
    status: int
    words: tuple                        # each must be in the message; of a tuple, one of them
    fault: tuple = ()                   # of the sandbox
    make: object = lambda bed: None     # what else is broken
    mend: object = lambda bed: bed.calm()
    trap: str = ''                      # words that would send people the wrong way


def check_words(words, out):
    for w in words:
        some = (w,) if isinstance(w, str) else w
        assert any(s in out for s in some), f'{some} not in: {out}'


def once(bed):
    """All of it, once, and nothing else."""
    status, out = bed.go()
    assert status == OK, (status, out)
    got, want = bed.in_omero(), {'Image': bed.n_images, 'Fileset': bed.n_images, 'Dataset': 1, 'Project': 1}
    assert got == want, (got, want)
    assert bed.ledger('select state, count(*) from fileset where gone_ms is null group by state') == [('done', bed.n_images)]
    status, out = bed.go()
    assert (status, out) == (OK, 'nothing new: all is in OMERO already\n'), (status, out)


def play(row):
    bed = Bed(row.fault)
    try:
        row.make(bed)
        status, out = bed.go()
        assert status == row.status, f'status {status}, not {row.status}: {out}'
        check_words(row.words + ('hint: ',) if row.status else row.words, out)
        assert not row.trap or row.trap not in out, out
        row.mend(bed)
        once(bed)
        bed.stop()
    finally:
        bed.close()


# ---- what is broken and mended ----

def env(**values):
    return lambda bed: bed.env.update(values)


def card(**values):
    return lambda bed: bed.put('c.toml', bed.card(**values))


def age(ms):
    """As if the last call had been made that long ago."""
    def do(bed):
        bed.calm()
        bed.ledger(f"update fileset set call_ms = call_ms - {ms}")
    return do


def restart_later(bed):
    """Its sessions end with a server; and more than a minute goes by."""
    bed.stop()
    bed.start()
    age(61 * 1000)(bed)


def without_pixels(bed):
    """A strip that is said to be packed by Deflate, and is not: the server makes an image before it finds out."""
    good = tiff(0)
    bed.put('0.tif', good.replace(struct.pack('<HHIHH', 259, 3, 1, 1, 0), struct.pack('<HHIHH', 259, 3, 1, 8, 0)))


def with_pixels(bed):
    """Only the two that are whole are in OMERO until the file is mended."""
    assert bed.in_omero()['Image'] == IMAGES - 1, bed.in_omero()
    bed.calm()
    bed.put('0.tif', tiff(0))


def another_certificate(bed):
    bed.n_images = IMAGES + 1
    assert bed.go()[0] == OK
    bed.put('later.tif', tiff(9))
    bed.stop()
    for name in ('certificate.pem', 'key.pem'):
        (bed.data / name).unlink()
    bed.start()


def trust_again(bed):
    (bed.state / 'known_servers').unlink()


def pin_wrongly(bed):
    bed.state.mkdir()
    (bed.state / 'known_servers').write_text(f'localhost:{bed.port} {"0" * 64}\n')


def ask_by_another_name(bed):
    """The certificate is vouched for, and made out to localhost: this address leads to it too."""
    bed.env.update(OMERO_SERVER='0.0.0.0', IMPOMERO_SERVER_CA_FILE=str(bed.data / 'certificate.pem'))


def with_ledger(change):
    """Change the ledger of an import that was done; one image more is to come."""
    def do(bed):
        bed.n_images = IMAGES + 1
        assert bed.go()[0] == OK
        bed.put('later.tif', tiff(9))
        shutil.copy(bed.state / 'ledger.db', bed.top / 'kept.db')
        change(bed, bed.state / 'ledger.db')
    return do


def restore(bed):
    for name in ('ledger.db-wal', 'ledger.db-shm'):
        (bed.state / name).unlink(missing_ok=True)
    shutil.copy(bed.top / 'kept.db', bed.state / 'ledger.db')


def pragma(text):
    def do(bed, _path):
        bed.ledger(f'pragma {text}')
    return with_ledger(do)


def spoil(bed, path):
    """Everything after the database's header (the SQLite file format: 100 bytes) is noise."""
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:100] + bytes(i * 37 % 251 for i in range(size - 100)))


def cut(bed, path):
    os.truncate(path, path.stat().st_size // 2 // 4096 * 4096)


def lock_database(bed, path):
    bed.locker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    bed.locker.execute('begin exclusive')


def unlock_database(bed):
    bed.locker.close()


def without_root_rights(bed):
    if os.geteuid() == 0:
        bed.prefix = ['setpriv', '--bounding-set=-dac_override,-dac_read_search']


def make_read_only(bed, path):
    without_root_rights(bed)
    path.chmod(0o444)
    bed.state.chmod(0o555)


def make_writable(bed):
    bed.state.chmod(0o755)
    (bed.state / 'ledger.db').chmod(0o644)


def closed_parent(bed):
    without_root_rights(bed)
    (bed.top / 'closed').mkdir(0o555)
    bed.state = bed.top / 'closed' / 'state'
    bed.env['IMPOMERO_STATE'] = str(bed.state)


def on_a_share(bed):
    bed.env['LD_PRELOAD'] = SHIM


def off_the_share(bed):
    del bed.env['LD_PRELOAD']


NOT_IN_TIME, LOOK = ('no answer in time', 'did not answer in time'), 'look at the server'
NOT_ENDED = ('has not ended yet', 'may still be running')  # the last word, or what the look at it gave that may follow in the same run
BACK = 'TLS handshake'  # where a machine that froze later is met again

ROWS = [
    # who asks
    Row('a wrong password', LOGIN, ('localhost:', 'password'), make=env(OMERO_ROOT_PASSWORD='wrong'), mend=env(OMERO_ROOT_PASSWORD='omero')),
    Row('an administrator that is not known', LOGIN, ('localhost:', 'user name'), make=env(OMERO_ROOT_USER='nobody'), mend=env(OMERO_ROOT_USER='root')),
    Row('no administrator', LOGIN, ("'alice'", 'Sudo'), make=env(OMERO_ROOT_USER='alice', OMERO_ROOT_PASSWORD='secret'),
        mend=env(OMERO_ROOT_USER='root', OMERO_ROOT_PASSWORD='omero')),
    Row('no password', CONFIG, ("'root'", 'OMERO_ROOT_PASSWORD'), make=env(OMERO_ROOT_PASSWORD=''), mend=env(OMERO_ROOT_PASSWORD='omero')),
    # for whom
    Row('a user that is not known', SOME, ('0.tif', 'no such user', "'nobody'", 'correct the user in the card'), make=card(user='nobody'), mend=card()),
    Row('a group that is not known', SOME, ('0.tif', 'no such group', "'nothing'", 'correct the group'), make=card(group='nothing'), mend=card()),
    Row('a user that is not in the group', SOME, ('0.tif', 'not in that group', "'carol'", "'lab'", 'add the user'), make=card(user='carol'), mend=card()),
    Row('a deactivated user', SOME, ('0.tif', 'switched off', "'dave'", 'switch it on'), make=card(user='dave'), mend=card()),
    # what answers
    Row('a web server', SERVER, ('localhost:', 'without TLS', "server's name and port"), ('http',)),
    Row('a secure shell', SERVER, ('localhost:', 'without TLS', "server's name and port"), ('ssh',)),
    Row('another TLS server', SERVER, ('localhost:', 'Ice', "server's name and port"), ('imaps',)),
    Row('another Ice server', SERVER, ('localhost:', 'no router for OMERO', "server's name and port"), ('other-ice',)),
    Row('Blitz away', SERVER, ('localhost:', 'internal server error', 'OMERO behind it does not'), ('blitz-away',), trap='password'),
    Row('Blitz starting', SERVER, ('localhost:', 'not fully initialized', 'OMERO is starting'), ('blitz-starting',), trap='password'),
    Row('another certificate', SERVER, ('localhost:', 'another certificate than before', 'SHA-256', 'compare'), make=another_certificate,
        mend=trust_again),
    Row('a certificate other than the pinned one', SERVER, ('localhost:', '0' * 64, 'compare'), make=pin_wrongly, mend=trust_again),
    Row('a certificate for another host name', SERVER, ('0.0.0.0:', 'not for this host name', 'SHA-256', 'compare'), make=ask_by_another_name,
        mend=env(OMERO_SERVER='localhost'), trap='password'),
    # a server that stops answering
    Row('silent at connect', SERVER, ('localhost:', 'connect', NOT_IN_TIME, LOOK), ('freeze-connect',)),
    Row('silent at the handshake', SERVER, ('localhost:', 'TLS handshake', NOT_IN_TIME, LOOK), ('freeze-tls',)),
    Row('silent at the greeting', SERVER, ('localhost:', 'no greeting', 'right port'), ('freeze-greeting',)),
    Row('silent at createSession', SERVER, ('localhost:', 'createSession', NOT_IN_TIME, LOOK), ('freeze-createSession',)),
    Row('silent at addProxies', SERVER, ('localhost:', 'addProxies', NOT_IN_TIME, LOOK), ('freeze-addProxies',)),
    Row('silent at a query', SERVER, ('localhost:', 'IQuery', NOT_IN_TIME, LOOK), ('freeze-query',)),
    Row('silent at importFileset', SERVER, ('localhost:', BACK, NOT_IN_TIME, LOOK), ('freeze-importFileset',), mend=age(HOUR_MS)),
    Row('silent at write', SERVER, ('localhost:', BACK, NOT_IN_TIME, LOOK), ('freeze-write',)),
    Row('silent at save', SERVER, ('localhost:', BACK, NOT_IN_TIME, LOOK), ('freeze-save',)),
    Row('silent at verifyUpload', SERVER, ('localhost:', BACK, NOT_IN_TIME, LOOK), ('freeze-verifyUpload',), mend=age(HOUR_MS)),
    Row('silent while it imports', SERVER, ('localhost:', BACK, NOT_IN_TIME, LOOK), ('freeze-poll',)),
    Row('silent at logout', OK, (f'{IMAGES} imported',), ('freeze-logout',)),
    # one call that is never answered, beside others that are
    Row('importFileset hangs', SOME, ('0.tif', 'importFileset', NOT_IN_TIME, LOOK), ('hang-importFileset',), mend=age(HOUR_MS)),
    Row('write hangs', SOME, ('0.tif', 'write', NOT_IN_TIME, LOOK), ('hang-write',)),
    Row('verifyUpload hangs', SOME, ('0.tif', 'verifyUpload', NOT_IN_TIME, LOOK), ('hang-verifyUpload',), mend=age(HOUR_MS)),
    # a connection that is cut
    Row('cut at write', SOME, ('0.tif', 'write', 'cut the connection', 'tried again'), ('cut-write',)),
    Row('cut after importFileset', SOME, ('0.tif', 'importFileset', 'cut the connection', 'tried again'), ('lose-importFileset',)),
    Row('verifyUpload never came true, and its session is over', SOME, ('0.tif', 'verifyUpload', NOT_IN_TIME, LOOK), ('hang-verifyUpload',),
        mend=restart_later),
    Row('a queued import that the server dropped with its session', SOME, ('0.tif', NOT_ENDED), ('queue-import',),
        make=env(IMPOMERO_IMPORT_DEADLINE='10'), mend=restart_later),
    Row('an import that leaves images without pixels, and whose failure nobody heard', SOME,
        ('0.tif', 'could not import it', 'cut short'), ('lose-verifyUpload',), make=without_pixels, mend=with_pixels),
    Row('cut after verifyUpload', OK, (f'{IMAGES} imported',), ('lose-verifyUpload',)),
    # a server that is not well
    Row('the database away', SERVER, ('localhost:', "database does not answer"), ('database-away',)),
    Row('the database read-only', SERVER, ('localhost:', 'read-only transaction', 'takes no changes'), ('database-read-only',)),
    Row('the repository full', SERVER, ('localhost:', 'No space left', 'make room on the server'), ('repository-full',)),
    Row('the repository full at a write', SERVER, ('localhost:', 'No space left', 'make room on the server'), ('repository-full-write',)),
    # the ledger
    Row('a ledger locked by another program', BUSY, ('ledger.db', 'keeps it locked', 'wait'), make=with_ledger(lock_database), mend=unlock_database),
    Row('a ledger that is read-only', STATE, ('/state', ('read-only', 'ermission denied'), 'ledger'), make=with_ledger(make_read_only), mend=make_writable),
    Row('a ledger that is damaged', STATE, ('ledger.db', 'damaged', 'backup', 'never delete'), make=with_ledger(spoil), mend=restore),
    Row('a ledger that is cut short', STATE, ('ledger.db', 'damaged', 'backup', 'never delete'), make=with_ledger(cut), mend=restore),
    Row('a ledger that is empty', STATE, ('ledger.db', 'it is empty, and was not', 'ledger rebuild'),
        make=with_ledger(lambda bed, path: path.write_bytes(b'')), mend=restore),
    Row('a ledger that is no database', STATE, ('ledger.db', 'no database', 'backup'),
        make=with_ledger(lambda bed, path: path.write_bytes(b'x' * 5000)), mend=restore),
    Row('a ledger of a newer version', STATE, ('ledger.db', 'version 9999', 'newer impomero'), make=pragma('user_version = 9999'), mend=restore),
    Row("another program's database", STATE, ('ledger.db', 'another program'), make=pragma('application_id = 7'), mend=restore),
    Row('a state directory that is a file', STATE, ('/state', 'state directory'), make=lambda bed: bed.state.write_text('x'),
        mend=lambda bed: bed.state.unlink()),
    Row('a state directory that cannot be made', STATE, ('/closed/state', 'ermission denied', 'state directory'), make=closed_parent,
        mend=lambda bed: (bed.top / 'closed').chmod(0o755)),
]
if SHIM:
    ROWS.append(Row('a ledger on a network share', STATE, ('/state', 'network share (NFS)', 'local disk'), make=on_a_share, mend=off_the_share))



# ---- the disk ----

class SmallDisk:
    """The bed's state directory on a file system of its own, seen by what is run in its namespace."""

    def __init__(self, bed, size='4m'):
        bed.state.mkdir()
        inside = f'mount -t tmpfs -o size={size},mode=0700 tmpfs "$1" && echo made && exec sleep 1000'
        self.holder = subprocess.Popen(['unshare', '--mount', '--propagation=private', 'sh', '-c', inside, 'sh', bed.state], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.made = self.holder.stdout.readline() == 'made\n'
        if self.made:
            bed.prefix = ['nsenter', f'--mount=/proc/{self.holder.pid}/ns/mnt']
            bed.state = pathlib.Path(f'/proc/{self.holder.pid}/root{bed.state}')
        self.ballast = bed.state / 'ballast'

    def fill(self, leave):
        self.empty()
        at = os.statvfs(self.ballast.parent)
        self.ballast.write_bytes(bytes(max(at.f_bavail * at.f_frsize - leave, 0)))

    def empty(self):
        self.ballast.unlink(missing_ok=True)

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


def on_small_disk(play_it):
    bed = Bed(())
    disk = SmallDisk(bed)
    try:
        if not disk.made:
            return 'skipped: no mount namespace'
        status, out = bed.go()
        assert status == OK, out
        play_it(bed, disk)
        disk.empty()
        once(bed)
        bed.stop()
        return ''
    finally:
        disk.close()
        bed.close()


def full_at_each_commit(bed, disk):
    """The room that is left decides at which commit it ends: from the first one to behind the last."""
    refused = 0
    for leave in range(0, 360, 12):
        bed.put(f'later-{leave}.tif', tiff(leave))
        bed.n_images += 1
        disk.fill(leave * 1024)
        status, out = bed.go()
        assert status in (OK, STATE), (leave, status, out)
        if status == STATE:
            refused += 1
            check_words(('/state', ('no room', 'No space left'), 'hint: make room there'), out)
        disk.empty()
        status, out = bed.go()
        assert status == OK, (leave, status, out)
        assert bed.in_omero()['Image'] == bed.n_images, (leave, bed.in_omero())
    assert refused >= 5, refused


def full_while_watching(bed, disk):
    """A service waits for room, and loses nothing meanwhile."""
    disk.fill(40 * 1024)
    with open(bed.top / 'watch', 'w+', encoding='utf-8') as log:
        watch = subprocess.Popen([*bed.prefix, IMPOMERO, 'watch', str(bed.share)], env=bed.env, stdin=subprocess.DEVNULL, stderr=log)
        try:
            for i in range(8):
                bed.put(f'later-{i}.tif', tiff(i))
                bed.n_images += 1
            wait_for(lambda: 'why=disk-full' in (bed.top / 'watch').read_text() and 'engine.paused' in (bed.top / 'watch').read_text())
            assert watch.poll() is None, (bed.top / 'watch').read_text()
            disk.empty()
            wait_for(lambda: bed.in_omero()['Image'] == bed.n_images)
        finally:
            watch.terminate()
            status = watch.wait(60)
        assert status == OK, (bed.top / 'watch').read_text()


def wait_for(probe, seconds=90):
    end = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < end, 'it did not come'
        time.sleep(0.1)


DISK = {'the disk full at each commit': full_at_each_commit, 'the disk full while watching': full_while_watching}


def attempt(job):
    name, run = job
    try:
        note = run() or ''
        return f'ok      {name} {note}'.rstrip(), True
    except Exception:  # pylint: disable=broad-exception-caught
        return f'FAILED  {name}\n{traceback.format_exc()}', False


def run_all(jobs):
    jobs = [j for j in jobs if not ONLY or j[0] in ONLY]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        for line, good in pool.map(attempt, jobs):
            print(line, flush=True)
            failed += not good
    print(f'{len(jobs) - failed} passed, {failed} failed')
    sys.exit(failed > 0)


if __name__ == '__main__':
    run_all([(name, lambda f=f: on_small_disk(f)) for name, f in DISK.items()] + [(r.name, lambda r=r: play(r)) for r in ROWS])
