"""What the checks work with: a server, people, a share in a temporary directory, and the program under test."""
import contextlib
import logging
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import urllib.parse

import omero
from omero.gateway import BlitzGateway
from omero.rtypes import rbool, rstring

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHARED = os.environ.get('IMPOMERO_SHARED') or os.path.join(os.path.dirname(TOP), 'shared')
PROGRAM = os.environ.get('IMPOMERO') or os.path.join(TOP, 'build', 'src', 'cli', 'impomero')
PASSWORD = 'secret'
GROUPS = {'lab': 'rwra--', 'priv': 'rw----', 'shared_rw': 'rwrw--', 'ro': 'rwr---', 'elsewhere': 'rwra--'}
PEOPLE = {'alice': ['lab', 'shared_rw', 'ro'], 'bob': ['lab', 'shared_rw', 'ro', 'priv'], 'carol': ['priv'], 'dave': ['lab']}
PRIVILEGES = ['Chgrp', 'Chown', 'DeleteFile', 'DeleteManagedRepo', 'DeleteOwned', 'DeleteScriptRepo', 'ModifyGroup', 'ModifyGroupMembership',
              'ModifyUser', 'ReadSession', 'Sudo', 'WriteFile', 'WriteManagedRepo', 'WriteOwned', 'WriteScriptRepo']
logging.getLogger('omero').setLevel(logging.CRITICAL)  # what is refused is a check's matter


class Server:
    """Where it is, and an administrator's password for it (environment OMERO_ROOT_PASSWORD)."""

    def __init__(self, url):
        parts = urllib.parse.urlsplit(url if '//' in url else '//' + url)
        self.host, self.port = parts.hostname, parts.port or 4064
        self.password = os.environ.get('OMERO_ROOT_PASSWORD', 'omero')
        self.root = BlitzGateway('root', self.password, host=self.host, port=self.port, secure=True)
        if not self.root.connect():
            raise SystemExit(f'{url}: root cannot log in: {self.root.getLastError()}')
        self.root.c.enableKeepAlive(60)  # checks that take long do not need it
        self.root.SERVICE_OPTS.setOmeroGroup('-1')
        self.version = self.root.getConfigService().getVersion()
        self.is_sandbox = self.root.getConfigService().getConfigValue('impomero.sandbox') == 'true'

    def close(self):
        self.root.close()

    def ensure_group(self, name, permissions='rwra--'):
        admin = self.root.getAdminService()
        try:
            return admin.lookupGroup(name)
        except omero.ApiUsageException:
            group = omero.model.ExperimenterGroupI()
            group.name, group.ldap = rstring(name), rbool(False)
            group.details.permissions = omero.model.PermissionsI(permissions)
            admin.createGroup(group)
            return admin.lookupGroup(name)

    def ensure_user(self, name, groups, active=True):
        """An ordinary user in these groups, the first being the default one; not active: not in the group `user`."""
        admin = self.root.getAdminService()
        groups = [admin.lookupGroup(g) for g in groups]
        try:
            user = admin.lookupExperimenter(name)
        except omero.ApiUsageException:
            others = [admin.lookupGroup('user')] if active else []
            admin.createExperimenterWithPassword(experimenter(name), rstring(PASSWORD), groups[0], others)
            user = admin.lookupExperimenter(name)
        have = {m.parent.id.val for m in user.copyGroupExperimenterMap()}
        missing = [g for g in groups if g.id.val not in have]
        if missing:
            admin.addGroups(user, missing)
        return user

    def ensure_owner(self, group, user):
        if not any(m.parent.name.val == group and m.owner.val for m in user.copyGroupExperimenterMap()):
            admin = self.root.getAdminService()
            admin.setGroupOwner(admin.lookupGroup(group), user)

    def ensure_administrator(self, name, privileges):
        """An administrator with these privileges and no others."""
        admin = self.root.getAdminService()
        try:
            return admin.lookupExperimenter(name)
        except omero.ApiUsageException:
            rights = [omero.model.AdminPrivilegeI() for _ in privileges]
            for right, value in zip(rights, privileges):
                right.value = rstring(value)
            admin.createRestrictedSystemUserWithPassword(experimenter(name), rights, rstring(PASSWORD))
            return admin.lookupExperimenter(name)

    def ensure_people(self):
        """Whom the checks speak of: the people and groups of sample/users.toml."""
        for group, permissions in GROUPS.items():
            self.ensure_group(group, permissions)
        for name, groups in PEOPLE.items():
            self.ensure_user(name, groups, active=name != 'dave')
        self.ensure_owner('lab', self.ensure_user('olga', ['lab']))
        self.ensure_administrator('importer', ['Sudo'])
        self.ensure_administrator('nosudo', [p for p in PRIVILEGES if p != 'Sudo'])


def experimenter(name):
    user = omero.model.ExperimenterI()
    user.omeName, user.firstName, user.lastName, user.ldap = rstring(name), rstring(name), rstring('Test'), rbool(False)
    return user


class Run:
    """One run of the program: its exit status and what it said."""

    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout.decode('utf-8', 'replace')
        self.err = done.stderr.decode('utf-8', 'replace')

    def must(self, status):
        if self.status != status:
            raise AssertionError(f'exit status {self.status}, not {status}\n{self.out}{self.err}')
        return self

    def says(self, *words):
        text = self.out + self.err
        for w in words:
            if not re.search(w, text, re.I):
                raise AssertionError(f'nothing about {w!r} in:\n{text}')
        return self


class Bench:
    """A share, a state directory and a name of its own for every check, so that one server can be used again and again."""

    def __init__(self, server):
        self.server = server
        self.tag = secrets.token_hex(4)
        self.dir = tempfile.mkdtemp(prefix='impomero-system-')
        self.share = os.path.join(self.dir, 'share ' + self.tag)
        self.state = os.path.join(self.dir, 'state')
        self.administrator = ('root', server.password)  # who logs in for the program
        os.makedirs(self.share)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def path(self, *parts):
        full = os.path.join(self.share, *parts)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        return full

    def write(self, path, data):
        with open(self.path(path), 'wb') as f:
            f.write(data if isinstance(data, bytes) else data.encode())

    def copy(self, source, path):
        target = self.path(path)
        shutil.copytree(source, target, dirs_exist_ok=True) if os.path.isdir(source) else shutil.copyfile(source, target)

    def card(self, path, project, user, group=None, tags=(), pairs=(), comment='', title='A card'):
        lines = ['# omero annotation file', f'title = {toml(title)}', f'project = {toml(project)}', f'user = {toml(user)}']
        lines += [f'group = {toml(group)}'] if group else []
        lines += [f'comment = {toml(comment)}', f'tags = [ {" ".join(toml(t) + "," for t in tags)}]', '', '[kv_pairs]']
        lines += [f'{toml(k)} = {toml(v)}' for k, v in pairs]
        self.write(path, '\n'.join(lines) + '\n')

    def env(self, more=None):
        return {**os.environ, 'OMERO_SERVER': self.server.host, 'OMERO_PORT': str(self.server.port),
             'OMERO_ROOT_USER': self.administrator[0], 'OMERO_ROOT_PASSWORD': self.administrator[1], 'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': self.state, **(more or {})}

    def impomero(self, *args, env=None, timeout=600):
        return Run(subprocess.run([PROGRAM, *args], env=self.env(env), stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=timeout))

    @contextlib.contextmanager
    def watching(self, *args, env=None):
        """`watch` on the share for as long as the block lasts; it must end in order within a few seconds after SIGTERM."""
        with open(os.path.join(self.dir, 'watch.log'), 'ab') as log:
            process = subprocess.Popen([PROGRAM, 'watch', *args, self.share], env=self.env(env), stdin=subprocess.DEVNULL, stderr=log)
        try:
            yield process
            process.terminate()
            status = process.wait(20)
            if status != 0:
                raise AssertionError(f'watch ended with status {status}\n{self.watch_log()}')
        except AssertionError as e:
            raise AssertionError(f'{e}\n{self.watch_log()}') from e
        finally:
            process.kill()
            process.wait()

    def watch_log(self):
        with open(os.path.join(self.dir, 'watch.log'), encoding='utf-8', errors='replace') as f:
            return f.read()

    def import_share(self, **kw):
        return self.impomero('import', self.share, **kw)


def toml(text):
    """A TOML basic string."""
    return '"' + ''.join(c if c >= ' ' and c not in '"\\' else f'\\u{ord(c):04x}' for c in text) + '"'


def tiff(seed=0, width=8, height=8, compression=1):
    """A small grey TIFF whose pixels depend on the seed; they are never packed, whatever it says."""
    import struct
    pixels = (bytes((seed * 37 + i) % 256 for i in range(256)) * (width * height // 256 + 1))[:width * height]
    tags = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1), (273, 4, 1, 8),
            (277, 3, 1, 1), (278, 3, 1, height), (279, 4, 1, len(pixels))]
    rows = b''.join(struct.pack('<HHI', t, k, n) + (struct.pack('<HH', v, 0) if k == 3 else struct.pack('<I', v)) for t, k, n, v in tags)
    return b'II*\0' + struct.pack('<I', 8 + len(pixels)) + pixels + struct.pack('<H', len(tags)) + rows + struct.pack('<I', 0)


def sample(name):
    return os.path.join(SHARED, 'samples', 'sets', name)
