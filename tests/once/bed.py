"""A share, a sandbox and a state directory in one place, that can be put back to how they were; and what lies in the ledger and on the server,
as text that two ways to the same end have in common: no numbers, no times, no random names; and what people made there by hand.
"""
import contextlib
import os
import pathlib
import re
import shutil
import sqlite3
import struct
import subprocess
import time

RATE = 10  # how many times as fast the program's clock goes: what it waits for is short
DIED = 100
MEMORY = 71


def tiff(grey):
    """A TIFF of one pixel (TIFF 6.0)."""
    rows = ((256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (277, 1), (278, 1), (279, 1))
    return b'II*\0' + struct.pack('<I', 10) + bytes((grey % 256, grey // 256 % 256)) + struct.pack('<H', len(rows)) + b''.join(
        struct.pack('<HHIHH', tag, 3, 1, value, 0) for tag, value in rows) + bytes(4)


def card(project='P', user='alice', group='lab', tags=(), pairs=(), comment=''):
    """A card as cataloger writes it; see the seed's reference card."""
    lines = ['# omero annotation file', f'project = "{project}"', f'user = "{user}"', f'group = "{group}"']
    lines += [f'tags = [{", ".join(f"{chr(34)}{t}{chr(34)}" for t in tags)}]'] if tags else []
    lines += [f'comment = "{comment}"'] if comment else []
    lines += ['[kv_pairs]', *(f'"{k}" = "{v}"' for k, v in pairs)] if pairs else []
    return '\n'.join(lines) + '\n'


class Bed:
    def __init__(self, top, impomero, sandbox, users, step_ms=0, tls=False, rate=RATE):
        self.top, self.impomero, self.sandbox, self.users, self.step_ms, self.rate = pathlib.Path(top), impomero, sandbox, users, step_ms, rate
        self.share, self.state, self.data = self.top / 'share', self.top / 'state', self.top / 'server'
        for d in (self.share, self.state, self.data):
            d.mkdir(parents=True, mode=0o700)
        self.tls, self.server, self.ahead, self.faults, self.hand = tls, None, 0, (), []

    # ---- files ----

    def put(self, name, data):
        path = self.share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    # ---- the server ----

    def start(self):
        self.log = open(self.top / 'log', 'a+', encoding='utf-8')
        self.server = subprocess.Popen([self.sandbox, '--data', self.data, '--users', self.users, '--port', '0', '--tcp-port', '0',
                                        '--step-ms', str(self.step_ms), *(f'--fault={f}' for f in self.faults)],
                                       stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.server.stdout.readline()
        if not line.startswith('ready '):
            raise RuntimeError(f'the sandbox does not start: {line}{(self.top / "log").read_text()}')
        self.port = line.split('ssl=' if self.tls else 'tcp=')[1].split()[0]

    def stop(self):
        """It ends with another status when it saw two calls at a time on one stateful service."""
        if not self.server:
            return
        self.server.terminate()
        status = self.server.wait(60)
        self.server.stdout.close()
        self.server = None
        self.log.close()
        if status != 0:
            raise RuntimeError(f'the sandbox ends with {status}: {(self.top / "log").read_text()[-2000:]}')

    def restart(self):
        self.stop()
        self.start()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    # ---- the program ----

    def run(self, *args, trap=None, **env):
        e = {**os.environ, 'OMERO_SERVER': 'localhost', 'OMERO_PORT': self.port, 'OMERO_ROOT_PASSWORD': 'omero',
             'IMPOMERO_STATE': str(self.state), 'IMPOMERO_SETTLE': '0', 'IMPOMERO_WORKERS': '1', 'IMPOMERO_CLOCK': f'{self.rate}+{int(self.ahead)}',
             'NO_COLOR': '1', **env}
        if trap:
            e['IMPOMERO_TRAP'] = trap
        began = time.monotonic()
        done = subprocess.run([self.impomero, *args], env=e, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors='replace', timeout=300,
                              check=False)
        self.ahead += (self.rate - 1) * (time.monotonic() - began) + 1  # its clock never goes back
        return done.returncode, done.stdout + done.stderr

    def do(self, *command, trap=None, **kw):
        """A command on the share."""
        return self.run(*command, *([] if self.tls else ['--plain-tcp']), str(self.share), trap=trap, **kw)

    def load(self, trap=None, **kw):
        return self.do('import', trap=trap, **kw)

    # ---- what people do there ----

    def by_hand(self, dataset):
        """While the server is off: a dataset is renamed, its first image gets a tag, its second one loses one of the card's."""
        with contextlib.closing(sqlite3.connect(self.data / 'sandbox.db')) as db, db:
            (there,) = db.execute('select id from Dataset where name = ?', (dataset,)).fetchone()
            first, second = (i for (i,) in db.execute('select child from DatasetImageLink where parent = ? order by child limit 2', (there,)))
            db.execute('update Dataset set name = ? where id = ?', (BY_HAND, there))
            db.execute("insert into Annotation (_kind, _owner, _grp, _version, _made, _changed, textValue) select 'TagAnnotation', _owner, _grp, 0, "
                       '_made, _changed, ? from Dataset where id = ?', (BY_HAND, there))
            db.execute('insert into ImageAnnotationLink (_owner, _grp, _version, _made, _changed, parent, child) select _owner, _grp, 0, _made, '
                       '_changed, ?, last_insert_rowid() from Dataset where id = ?', (first, there))
            self.hand += [(f'select name from Dataset where id = {there}', BY_HAND), (tagged(first, BY_HAND), 1)]
            for link, tag in db.execute("select l.id, a.textValue from ImageAnnotationLink l join Annotation a on a.id = l.child where l.parent = ? "
                                        "and a._kind = 'TagAnnotation' order by a.textValue desc limit 1", (second,)).fetchall():
                db.execute('delete from ImageAnnotationLink where id = ?', (link,))
                self.hand.append((tagged(second, tag), 0))

    def lost(self):
        """What of it does not stand any more, as text."""
        with contextlib.closing(sqlite3.connect(self.data / 'sandbox.db')) as db:
            return ''.join(f'by hand: {q}: {want} became {got}\n' for q, want in self.hand for (got,) in db.execute(q) if got != want)

    # ---- how it was ----

    def keep(self, name):
        for d in (self.share, self.state, self.data):
            shutil.copytree(d, self.top / name / d.name)

    def restore(self, name):
        for d in (self.share, self.state, self.data):
            shutil.rmtree(d)
            shutil.copytree(self.top / name / d.name, d)

    # ---- what is there ----

    def omero(self):
        return self.dump(self.data / 'sandbox.db', OMERO)

    def ledger(self):
        return self.dump(self.state / 'ledger.db', LEDGER)

    def dump(self, path, queries):
        with contextlib.closing(sqlite3.connect(path)) as db:
            db.text_factory = lambda b: b.decode(errors='replace')
            return sorted(f'{what}: {RANDOM.sub("UUID", str(text))}'.replace(str(self.share), 'SHARE')
                          for what, q in queries.items() for (text,) in db.execute(q))

    def whole(self):
        return self.omero() + self.ledger()


BY_HAND = 'made by a person'


def tagged(image, tag):
    return ("select count(*) from ImageAnnotationLink l join Annotation a on a.id = l.child "
            f"where l.parent = {image} and a.textValue = '{tag}'")


def counts(said):
    """Of the line that the program prints when traps are set."""
    line = re.search(r'^traps: (.*)$', said, re.M)
    return {k: int(v) for k, v in (part.split() for part in line.group(1).split(', '))}


def sql_note(a):
    return (f"({a}._kind || ' ' || coalesce({a}.ns, '') || ' ' || coalesce({a}.textValue, '') || ' [' || coalesce((select group_concat(v, '; ') from "
            f"(select p.name || '=' || p.value as v from Pair p where p.holder = 'Annotation.mapValue' and p.object = {a}.id order by p.position)), '') "
            "|| ']')")


def sql_files(fileset):
    return (f"(select group_concat(f, ', ') from (select o.name || ' ' || o.size || ' ' || coalesce(o.hash, 'no hash') as f from FilesetEntry e "
            f"join OriginalFile o on o.id = e.originalFile where e.fileset = {fileset} order by e.id))")


OWNER = "'of ' || (select omeName from Experimenter where id = x._owner) || ' in ' || (select name from ExperimenterGroup where id = x._grp)"

# A line for each thing that there should be so many of, and no more.
OMERO = {
    'project': f"select x.name || ' ' || {OWNER} from Project x",
    'dataset': f"select coalesce((select group_concat(p.name) from ProjectDatasetLink l join Project p on p.id = l.parent where l.child = x.id), '-') "
               f"|| ' / ' || x.name || ': ' || coalesce(x.description, '') || ' ' || {OWNER} from Dataset x",
    'note of a dataset': f"select x.name || ': ' || {sql_note('a')} from DatasetAnnotationLink l join Dataset x on x.id = l.parent "
                         'join Annotation a on a.id = l.child',
    'image': f"select coalesce((select group_concat(d.name) from DatasetImageLink l join Dataset d on d.id = l.parent where l.child = x.id), '-') "
             f"|| ' / ' || x.name || ' ' || x.series || ' from ' || coalesce({sql_files('x.fileset')}, '-') || ' ' || {OWNER} from Image x",
    'note of an image': f"select x.name || ': ' || {sql_note('a')} from ImageAnnotationLink l join Image x on x.id = l.parent "
                        'join Annotation a on a.id = l.child',
    'annotation': f"select {sql_note('x')} || ' ' || {OWNER} from Annotation x",
    'fileset': f"select {sql_files('x.id')} || ' ' || (select count(*) from Image i where i.fileset = x.id) || ' images' from Fileset x",
    'file': "select x.name || ' ' || x.size from OriginalFile x where x.mimetype is null or x.mimetype not like 'application/omero-log-file'",
}
# (Who made a tag that was there when a run was cut short cannot be known, and nothing depends on it.)
LEDGER = {
    'card': "select c.path || ' ' || c.reason || ' ' || c.text || ' ' || coalesce(r.sha256, '') || ' ' || (c.gone_ms is not null) from card c "
            'left join card_revision r on r.id = c.revision',
    'dataset': "select d.dir || ' ' || d.name || ' ' || coalesce(d.made_project, '') || ' ' || coalesce(d.made_user, '') || ' ' || w.sha256 || ' ' "
               "|| coalesce(a.sha256, '') || ' ' || d.stale || ' ' || d.reason || ' ' || (d.omero_id is not null) || ' ' || d.claimed from dataset d "
               'join card_revision w on w.id = d.wanted left join card_revision a on a.id = d.applied',
    'note': "select d.dir || ' ' || n.position || ' ' || n.kind || ' ' || n.text || ' ' || n.linked from annotation n "
            'join dataset d on d.id = n.dataset',
    'fileset': "select f.path || ' ' || f.name || ' ' || f.state || ' ' || f.reason || ' ' || f.text || ' ' || f.call || ' ' || f.user || ' ' "
               "|| coalesce(d.dir, '-') || ' ' || (f.gone_ms is not null) || ' ' || (f.omero_id is not null) || ' ' || f.claimed "
               'from fileset f left join dataset d on d.id = f.dataset',
    'member': "select f.path || ' ' || m.position || ' ' || x.path || ' ' || x.size || ' ' || coalesce(x.hash, '') from member m "
              'join fileset f on f.id = m.fileset join file x on x.id = m.file',
    'image': "select f.path || ' ' || i.series || ' ' || i.name || ' ' || coalesce(r.sha256, '') || ' ' || (i.deleted_ms is not null) from image i "
             'join fileset f on f.id = i.fileset left join card_revision r on r.id = i.revision',
}
RANDOM = re.compile(r'[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}')

