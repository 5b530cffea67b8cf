#!/usr/bin/env python3
"""Attempts to act for somebody else, or to read what is not the card's, each against a sandbox: a row an attempt.

Each is refused with its reason and words, and OMERO then holds what the row allows and nothing else.

usage: test_attempts.py IMPOMERO OMERO_SANDBOX [ROW...]
"""
import contextlib
import dataclasses
import json
import os
import pathlib
import pwd
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile

from pictures import card, ome, tiff

IMPOMERO, SANDBOX = map(os.path.abspath, sys.argv[1:3])
ROOT = os.geteuid() == 0
PERSON = next((p for p in pwd.getpwall() if 1000 <= p.pw_uid < 65534), None)
USERS = """
[groups]
lab = "rwra--"
theirs = "rw----"
[users.alice]
password = "x"
groups = ["lab"]
[users.bob]
password = "x"
groups = ["theirs", "lab"]
[users.dave]
password = "x"
groups = ["lab"]
active = false
[users.boss]
password = "x"
groups = ["lab", "system"]
[users.clerk]
password = "x"
groups = ["lab", "system"]
privileges = ["Sudo"]
""" + (f'[users.{json.dumps(PERSON.pw_name)}]\npassword = "x"\ngroups = ["lab"]\n' if PERSON else '')


@dataclasses.dataclass
class Row:
    """Files below the root (`../x` lies beside it), links, what else to make; what must come of it."""
    what: str
    files: dict
    reason: str = ''       # of a problem; '': no problem at all
    says: str = ''         # in its text
    links: dict = dataclasses.field(default_factory=dict)
    make: object = None    # f(root)
    config: str = ''       # of the root
    skipped: dict = dataclasses.field(default_factory=dict)  # path -> reason, as `plan` names it
    images: tuple = ()     # (owner, name) of what is imported all the same


def user(name, reason, says, group=None):
    return Row(f'a card for {name}{f" in {group}" if group else ""}', {'c.toml': card(name, group), 'a.tif': tiff()}, reason, says)


def fifo(root):
    os.mkfifo(root / 'pipe.tif')


def device(root):
    if ROOT:
        with contextlib.suppress(PermissionError):  # containers may not
            os.mknod(root / 'disk.tif', 0o600 | 0o060000, os.makedev(1, 3))


def all_of(uid):
    def make(root):
        for at, _, names in os.walk(root):
            os.chown(at, uid, -1)
            for name in names:
                os.chown(os.path.join(at, name), uid, -1)
    return make


def hers(path, uid=0):
    """All of the person, but for one path."""
    def make(root):
        all_of(PERSON.pw_uid)(root)
        os.chown(root / path, uid, -1)
    return make


def twice(path, name):
    def make(root):
        all_of(PERSON.pw_uid)(root)
        os.link(root / path, root / '..' / name)
    return make


OWN = {'d/c.toml': card(), 'd/a.tif': tiff()}
LIST = 'policy = "list"\nallow = ["{user} = *", ". = bob", "shared = alice"]\n'
ROWS = [
    user('root', 'refused', "not allowed to act for root"),
    user('boss', 'refused', 'an administrator'),
    user('clerk', 'refused', 'an administrator'),
    user('guest', 'refused', 'a guest'),
    user('nobody-here', 'no-user', "'nobody-here'"),
    user('dave', 'deactivated', "'dave'"),
    user("alice' or '1'='1", 'no-user', "alice' or"),
    user('Alice', 'no-user', "'Alice'"),
    user('alice', 'not-member', "'theirs'", 'theirs'),
    user('alice', 'no-group', "'nowhere'", 'nowhere'),
    user('alice', 'refused', "'system'", 'system'),
    user('alice', 'refused', "'user'", 'user'),
    Row("a card above somebody else's files, by a list", {'c.toml': card('bob'), 'b.tif': tiff(), 'alice/a.tif': tiff()},
        'refused', "'allow' does not name user 'bob' for the directory 'alice'", config=LIST, images=(('bob', 'b.tif'),)),
    Row("a card for somebody else in one's own directory, by a list", {'bob/c.toml': card(), 'bob/b.tif': tiff()},
        'refused', "'allow' does not name user 'alice' for the directory 'bob'", config=LIST),
    Row('a directory for which the list has no row', {'x/c.toml': card(), 'x/a.tif': tiff()}, 'refused', "no row of 'allow'",
        config='policy = "list"\nallow = ["y = alice"]\n'),
    Row('a refused card does not stand in the way of a good one',
        {'shared/c.toml': card(), 'shared/d.toml': card('bob'), 'shared/a.tif': tiff()}, 'refused', "does not name user 'bob'",
        config=LIST, images=(('alice', 'a.tif'),)),
    Row('a link to a file elsewhere', {**OWN, '../secret.tif': tiff()}, links={'d/s.tif': '../../secret.tif'},
        skipped={'d/s.tif': 'link'}, images=(('alice', 'a.tif'),)),
    Row('a link to a directory elsewhere', {**OWN, '../other/secret.tif': tiff()}, links={'d/o': '../../other'},
        skipped={'d/o': 'link'}, images=(('alice', 'a.tif'),)),
    Row('a link to the process itself', OWN, links={'d/p': '/proc/self/root', 'd/f.tif': '/proc/self/fd/0'},
        skipped={'d/p': 'link', 'd/f.tif': 'link'}, images=(('alice', 'a.tif'),)),
    Row('a card that is a link', {'d/a.tif': tiff(), '../c.toml': card()}, links={'d/c.toml': '../../c.toml'},
        skipped={'d/c.toml': 'link', 'd/a.tif': 'no-card'}),
    Row('a link that leads elsewhere than links may', {**OWN, '../store/s.tif': tiff(), '../other/secret.tif': tiff()},
        links={'d/s': '../../store', 'd/o': '../../other', '../store/o': '../other'}, skipped={'d/o': 'link', 'd/s/o': 'link'},
        config='policy = "any"\nfollow_links_into = ["{top}/store"]\n', images=(('alice', 'a.tif'), ('alice', 's-s.tif'))),
    Row('a pipe with the name of an image', OWN, make=fifo, skipped={'pipe.tif': 'not-regular'}, images=(('alice', 'a.tif'),)),
    Row('a device with the name of an image', OWN, make=device, images=(('alice', 'a.tif'),)),
    Row("OME-XML that names a file of another card's", {'alice/c.toml': card(), 'alice/a.ome.tif': ome('a.ome.tif', '../bob/b.tif'),
                                                      'bob/c.toml': card('bob'), 'bob/b.tif': tiff()},
        'conflict', "'bob/b.tif'"),
    Row('OME-XML that names a file above the root', {'c.toml': card(), 'a.ome.tif': ome('a.ome.tif', '../secret.tif'),
                                                    '../secret.tif': tiff()}, 'settling', '../secret.tif'),
    Row('OME-XML that names a file by an absolute path', {'c.toml': card(), 'a.ome.tif': ome('a.ome.tif', '/etc/hostname')},
        'settling', '/etc/hostname'),
    Row('OME-XML that names a file behind a link', {'c.toml': card(), 'a.ome.tif': ome('a.ome.tif', 'o/secret.tif'),
                                                   '../other/secret.tif': tiff()}, 'settling', 'o/secret.tif',
        links={'o': '../other'}, skipped={'o': 'link'}),
    Row('a card of somebody else, by owner', OWN, 'refused', 'belongs to', config='policy = "owner"\n'),
]
BY_ROOT = [
    Row("root's card, by owner", OWN, 'refused', "belongs to 'root', which is no person's account", make=all_of(0),
        config='policy = "owner"\n'),
    Row('a card of an account that is not here, by owner', OWN, 'refused', 'number 54321, which is no account here',
        make=all_of(54321), config='policy = "owner"\n'),
]
MINE = {'d/c.toml': card(PERSON.pw_name), 'd/a.tif': tiff(), 'd/b.tif': tiff(grey=1)} if PERSON else {}
BY_PERSON = [] if not PERSON else [
    Row('an owner for herself', MINE, make=all_of(PERSON.pw_uid), config='policy = "owner"\n',
        images=((PERSON.pw_name, 'a.tif'), (PERSON.pw_name, 'b.tif'))),
    Row("an owner's card for somebody else", OWN, 'refused', f"belongs to '{PERSON.pw_name}', not to user 'alice'",
        make=all_of(PERSON.pw_uid), config='policy = "owner"\n'),
    Row("an owner's card and a file of root's", MINE, 'refused', "the file belongs to 'root'", make=hers('d/b.tif'),
        config='policy = "owner"\n', images=((PERSON.pw_name, 'a.tif'),)),
    Row("an owner's card in a directory of root's", MINE, 'refused', "its directory belongs to 'root'", make=hers('d'),
        config='policy = "owner"\n'),
    Row('a hard link to a file elsewhere, by owner', MINE, 'refused', 'the file has 2 hard links', make=twice('d/b.tif', 'b'),
        config='policy = "owner"\n', images=((PERSON.pw_name, 'a.tif'),)),
    Row('a hard link to a card elsewhere, by owner', MINE, 'refused', 'the card has 2 hard links', make=twice('d/c.toml', 'c'),
        config='policy = "owner"\n'),
]


class Server:
    def __init__(self, top):
        self.top = top
        (top / 'users.toml').write_text(USERS, encoding='utf-8')
        self.log = open(top / 'log', 'wb')
        self.process = subprocess.Popen([SANDBOX, '--data', top / 'server', '--users', top / 'users.toml', '--port', '0'],
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.port = self.process.stdout.readline().strip().split('ssl=')[1]

    def images(self):
        with contextlib.closing(sqlite3.connect(f'file:{self.top}/server/sandbox.db?mode=ro', uri=True)) as db:
            return db.execute('SELECT i.id, u.omeName, i.name FROM Image i JOIN Experimenter u ON u.id = i._owner').fetchall()

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        self.process.stdout.close()
        self.log.close()
        assert status == 0, (self.top / 'log').read_text(encoding='utf-8')


def make_tree(row, top):
    root = top / 'share'
    root.mkdir()
    for path, data in row.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    for path, target in row.links.items():
        (root / path).symlink_to(target)
    if row.make:
        row.make(root)
    return root


def check(row, server, top):
    root = make_tree(row, top)
    (top / 'conf').write_text(f'[[root]]\nname = "r"\npath = "{root}"\n{row.config}'.replace('{top}', str(top)) if row.config
                              else '', encoding='utf-8')
    env = {**os.environ, 'OMERO_SERVER': 'localhost', 'OMERO_PORT': server.port, 'OMERO_ROOT_PASSWORD': 'omero',
           'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': str(top / 'state')}
    before = {image for image, _, _ in server.images()}

    def run(*args):
        done = subprocess.run([IMPOMERO, *args, f'--config={top}/conf', '--json', root], env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, json.loads(done.stdout or '{}'), done.stderr

    status, said, err = run('import')
    if status != (1 if row.reason else 0):
        yield f'exit {status}: {said}{err}'
    problems = said.get('problems', [])
    if bool(row.reason) != bool(problems) or row.reason and not any(
            p['reason'] == row.reason and row.says in p['text'] and p['hint'] for p in problems):
        yield f'problems: {problems}'
    have = sorted((owner, name) for image, owner, name in server.images() if image not in before)
    if have != sorted(row.images):
        yield f'images: {have}'
    skipped = {s['path']: s['reason'] for s in run('plan')[1]['skipped']}
    yield from (f'skipped: {path}: {skipped.get(path)}' for path, why in row.skipped.items() if skipped.get(path) != why)


def main():
    top = pathlib.Path(os.path.realpath(tempfile.mkdtemp(prefix='impomero-attempts-')))
    top.chmod(0o755)
    server = Server(top)
    rows = ROWS + (BY_ROOT + BY_PERSON if ROOT else [])
    passed = failed = 0
    try:
        for n, row in enumerate(r for r in rows if not sys.argv[3:] or r.what in sys.argv[3:]):
            (top / str(n)).mkdir()
            found = list(check(row, server, top / str(n)))
            passed, failed = passed + (not found), failed + bool(found)
            for line in found:
                print(f'{row.what}: {line}')
    finally:
        server.close()
        shutil.rmtree(top)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
