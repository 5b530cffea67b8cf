#!/usr/bin/env python3
"""What is done with the installed package: package.py run|again ROOT TOP.  The service runs in ROOT, as its own user, with a notify
socket that is listened to here; the sandbox server runs outside."""
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

STEP, ROOT, TOP = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
CONF = ROOT / 'etc/impomero/impomero.toml'


def sandbox():
    log = open(ROOT / 'root/sandbox.log', 'w+', encoding='utf-8')
    process = subprocess.Popen([TOP / 'build/sandbox/omero-sandbox', '--port', '0', '--data', ROOT / 'root/sandbox', '--users',
                                TOP / 'sample/users.toml'], stdout=log, stderr=subprocess.DEVNULL)
    for _ in range(200):
        log.seek(0)
        if found := re.search(r'^ready ssl=(\d+)', log.read(), re.M):
            return process, found.group(1)
        time.sleep(0.05)
    sys.exit('the sandbox does not start')


def edit(port):
    """What an administrator edits in the one file."""
    text = CONF.read_text()
    for line, new in (('#host = "localhost"', 'host = "localhost"'), ('#port = 4064', f'port = {port}'), ('#settle = 30', 'settle = 0'),
                      ('#[[root]]\n#name = "microscopes"\n#path = "/srv/microscopes"', '[[root]]\nname = "gut"\npath = "/srv/sample/gut"\npolicy = "any"')):
        assert line in text, line
        text = text.replace(line, new, 1)
    CONF.write_text(text)


class Service:
    def __init__(self):
        run = ROOT / 'run/impomero'
        run.mkdir(parents=True, exist_ok=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        (run / 'notify').unlink(missing_ok=True)
        self.socket.bind(str(run / 'notify'))
        (run / 'notify').chmod(0o666)
        self.socket.settimeout(60)
        credentials, state = ROOT / 'run/credentials', ROOT / 'var/lib/impomero'
        credentials.mkdir(exist_ok=True)
        (credentials / 'impomero.password').write_text('omero\n')
        state.mkdir(exist_ok=True)
        user, group = self.ids()
        for path in (state, credentials, credentials / 'impomero.password'):
            os.chown(path, user, group)
        self.process = subprocess.Popen(
            ['chroot', f'--userspec={user}:{group}', ROOT, 'env', '-i', 'STATE_DIRECTORY=/var/lib/impomero', 'NOTIFY_SOCKET=/run/impomero/notify',
             'CREDENTIALS_DIRECTORY=/run/credentials', 'WATCHDOG_USEC=2000000', '/usr/bin/impomero', 'watch'])

    @staticmethod
    def ids():
        row = next(l for l in (ROOT / 'etc/passwd').read_text().splitlines() if l.startswith('impomero:'))
        return int(row.split(':')[2]), int(row.split(':')[3])

    def hear(self, pattern):
        while True:
            message = self.socket.recv(65536).decode()
            print(repr(message))
            if re.search(pattern, message, re.M):
                return

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.hear('^STOPPING=1$')
        assert self.process.wait(60) == 0


def run(service):
    service.hear('^READY=1$')
    service.hear('^STATUS=0 under way; since the start 3 imported, 0 put off or held$')
    service.hear('^WATCHDOG=1$')
    (ROOT / 'etc/impomero/impomero.d/50-spindle.toml').write_text('[[root]]\nname = "spindle"\npath = "/srv/sample/Spindle orientation"\npolicy = "any"\n')
    service.process.send_signal(signal.SIGHUP)
    service.hear('^RELOADING=1\nMONOTONIC_USEC=')
    service.hear('^READY=1$')
    service.hear('^STATUS=0 under way; since the start 7 imported, 0 put off or held$')


def again(service):
    """Nothing is imported a second time."""
    service.hear('^READY=1$')
    service.hear('^WATCHDOG=1$')
    time.sleep(5)
    assert service.process.poll() is None
    shown = subprocess.run(['chroot', ROOT, 'env', '-i', '/usr/bin/impomero', 'status', '--json'], check=True,
                           capture_output=True, text=True).stdout
    assert {c['state']: c['n'] for c in json.loads(shown)['counts']} == {'done': 7}, shown


server, its_port = sandbox()
if STEP == 'run':
    edit(its_port)
else:
    CONF.write_text(re.sub(r'^port = \d+$', f'port = {its_port}', CONF.read_text(), flags=re.M))
service = Service()
try:
    {'run': run, 'again': again}[STEP](service)
    service.stop()
finally:
    service.process.kill()
    server.kill()
