#!/usr/bin/env python3
"""The service as its manager sees it: test_service.py IMPOMERO SANDBOX TOP.  Owns the notify socket and the journal's."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

IMPOMERO, SANDBOX, TOP = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
del sys.argv[1:4]


class Bench(unittest.TestCase):
    """A configuration, a sandbox server, and a socket where the service manager would listen."""

    def setUp(self):
        top = tempfile.TemporaryDirectory()
        self.addCleanup(top.cleanup)
        self.top = pathlib.Path(os.path.realpath(top.name))
        shutil.copytree(TOP / 'sample', self.top / 'tree', ignore=shutil.ignore_patterns('users.toml'))
        (self.top / 'credentials').mkdir()
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(self.top / 'notify'))
        self.notify.settimeout(20)
        self.addCleanup(self.notify.close)
        self.messages = []
        port = self.sandbox()
        (self.top / 'credentials' / 'impomero.password').write_text('omero\n')
        self.conf = self.top / 'impomero.toml'
        self.conf.write_text(f'settle = 0\n[server]\nhost = "localhost"\nport = {port}\n'
                             f'[[root]]\nname = "gut"\npath = "{self.top}/tree/gut"\npolicy = "any"\n')
        self.env = {'PATH': os.environ['PATH'], 'STATE_DIRECTORY': str(self.top / 'state'),
                    'CREDENTIALS_DIRECTORY': str(self.top / 'credentials'), 'NOTIFY_SOCKET': str(self.top / 'notify')}

    def sandbox(self):
        with open(self.top / 'sandbox.log', 'w', encoding='utf-8') as log:
            p = subprocess.Popen([SANDBOX, '--port', '0', '--data', self.top / 'sandbox', '--users', TOP / 'sample/users.toml'],
                                 stdout=log, stderr=subprocess.DEVNULL)
        self.addCleanup(lambda: (p.kill(), p.wait()))
        return self.wait_for(lambda: (re.findall(r'^ready ssl=(\d+)', (self.top / 'sandbox.log').read_text()) or [None])[0])

    def wait_for(self, probe, seconds=30):
        end = time.monotonic() + seconds
        while not (got := probe()):
            self.assertLess(time.monotonic(), end, self.log())
            time.sleep(0.05)
        return got

    def log(self):
        return (self.top / 'log').read_text() if (self.top / 'log').exists() else ''

    def start(self, **more):
        with open(self.top / 'log', 'a', encoding='utf-8') as log:
            p = subprocess.Popen([IMPOMERO, 'watch', f'--config={self.conf}'], env={**self.env, **more}, stdin=subprocess.DEVNULL,
                                 stdout=log, stderr=log)
        self.addCleanup(lambda: (p.kill(), p.wait()))
        return p

    def hear(self, pattern):
        """The next message that has a line of this form; those before it are kept in self.messages."""
        while True:
            try:
                message = self.notify.recv(65536).decode()
            except TimeoutError:
                self.fail(f'no message {pattern}\n{self.messages}\n{self.log()}')
            self.messages.append(message)
            if found := re.search(pattern, message, re.M):
                return found

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.hear('^STOPPING=1$')
        self.assertEqual(process.wait(30), 0, self.log())

    def done(self):
        shown = subprocess.run([IMPOMERO, 'status', '--json', f'--config={self.conf}'], env=self.env, capture_output=True,
                               text=True, check=False).stdout
        return {c['state']: c['n'] for c in json.loads(shown)['counts']}.get('done', 0)


class Service(Bench):
    def test_ready_status_and_stopping(self):
        process = self.start()
        self.hear('^READY=1$')
        self.hear('^STATUS=0 under way; since the start 3 imported, 0 put off or held$')
        self.assertEqual(self.done(), 3)
        self.stop(process)
        self.assertIn('watch.end', self.log())

    def test_a_wrong_configuration_is_never_ready(self):
        self.conf.write_text('settel = 1\n')
        process = self.start()
        self.assertEqual(process.wait(20), 3)
        self.notify.settimeout(0.1)
        self.assertRaises(TimeoutError, self.notify.recv, 1)
        self.assertIn("did you mean 'settle'?", self.log())

    def test_the_watchdog_is_fed_as_often_as_it_asks_for(self):
        process = self.start(WATCHDOG_USEC='900000')
        self.hear('^READY=1$')
        began = time.monotonic()
        for _ in range(4):
            self.hear('^WATCHDOG=1$')
        self.assertGreater(time.monotonic() - began, 0.5)
        self.stop(process)

    def test_another_process_s_watchdog_is_not_fed(self):
        process = self.start(WATCHDOG_USEC='300000', WATCHDOG_PID='1')
        self.hear('^STATUS=0 under way; since the start 3 imported')
        self.stop(process)
        self.assertNotIn('WATCHDOG=1', self.messages)

    def test_a_reload_takes_new_roots_and_names_what_needs_a_restart(self):
        process = self.start()
        self.hear('^STATUS=0 under way; since the start 3 imported')
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        (self.top / 'impomero.d').mkdir()
        (self.top / 'impomero.d' / 'more.toml').write_text(
            f'workers = 3\n[[root]]\nname = "spindle"\npath = "{self.top}/tree/Spindle orientation"\npolicy = "any"\n')
        process.send_signal(signal.SIGHUP)
        self.hear('^RELOADING=1$')
        told = int(re.search(r'^MONOTONIC_USEC=(\d+)$', self.messages[-1], re.M).group(1))
        self.assertTrue(before <= told <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
        self.hear('^READY=1$')
        self.assertIn('the new configuration holds', self.messages[-1])
        self.hear('^STATUS=0 under way; since the start 7 imported')
        self.assertRegex(self.log(), r'daemon.restart-needed keys="workers"')
        self.stop(process)

    # Each key outside of roots with a value that is not its default.
    AT_THE_NEXT_START = {'server.host': '"127.0.0.1"', 'server.port': '1', 'server.ca_file': '"/nonexistent.pem"',
                         'server.plain_tcp': 'true', 'server.allow_anonymous': 'true', 'server.timeout': '7', 'state': '"/nonexistent"',
                         'workers': '3', 'trace': '"wire"', 'web.listen': '"127.0.0.1:0"', 'web.token': '"0123456789abcdef"',
                         'web.token_file': '"{top}/web-token"', 'web.hosts': '["a.example"]', 'web.omero_web': '"https://a.example"'}
    AT_ONCE = {'server.user': '"importer"', 'server.password': '"other"', 'server.password_file': '"{top}/credentials/impomero.password"',
               'uploads': '5', 'import.deadline': '100', 'grouping.helper': '"/bin/false"', 'grouping.helper_timeout': '5',
               'in_place.paths': '"/a=/b"', 'tell.on': '"trouble"', 'tell.command': '"/bin/true"', 'tell.webhook': '"http://localhost:1/"',
               'tell.mail_to': '"a@b.example"', 'tell.mail_else': '"a@b.example"', 'tell.mail_from': '"a@b.example"',
               'tell.sendmail': '"/bin/true"', 'tell.quiet': '7', 'tell.per_hour': '3', 'log.level': '"debug"'}

    def reload(self, process, text):
        """The keys that are named as to be taken at the next start."""
        before = len(self.log())
        self.conf.write_text(text)
        process.send_signal(signal.SIGHUP)
        self.hear('^RELOADING=1$')
        self.hear('^READY=1$')
        self.assertIn('the new configuration holds', self.messages[-1])
        said = re.findall('daemon.restart-needed keys="(.*)"', self.wait_for(lambda: 'daemon.reloaded' in (l := self.log()[before:]) and l))
        return said[0].split(', ') if said else []

    def test_each_key_is_taken_by_a_reload_or_named(self):
        listed = json.loads(subprocess.run([IMPOMERO, 'config', 'show', '--json', f'--config={self.conf}'], env=self.env, check=True,
                                           capture_output=True, text=True).stdout)
        outside = {k for k in listed if k not in ('roots', 'state_dir', 'has_password') and k.rpartition('.')[2] not in listed['roots'][0]}
        self.assertEqual(outside, set(self.AT_THE_NEXT_START) | set(self.AT_ONCE))
        good = self.conf.read_text()
        self.conf.chmod(0o600)
        (self.top / 'web-token').write_text('0123456789abcdef\n')
        process = self.start()
        self.hear('^STATUS=0 under way; since the start 3 imported')
        for key, value in {**self.AT_THE_NEXT_START, **self.AT_ONCE}.items():
            section, _, name = key.rpartition('.')
            line = f'{name} = {value}\n'.replace('{top}', str(self.top))
            text = re.sub(rf'^{name} = .*\n', '', good, flags=re.M)
            text = line + text if not section else text.replace('[server]\n', f'[server]\n{line}') if section == 'server' else \
                f'{text}[{section}]\n{line}'
            self.assertEqual(self.reload(process, text), [key] if key in self.AT_THE_NEXT_START else [], key)
        self.assertEqual(self.reload(process, good), [])
        self.stop(process)

    def test_what_a_reload_takes_holds_for_the_next_file(self):
        process = self.start(IMPOMERO_WORKERS='1')
        self.hear('^STATUS=0 under way; since the start 3 imported')
        hook = self.top / 'hook'
        hook.write_text(f'#!/bin/sh\ncat >{self.top}/told\n')
        hook.chmod(0o755)
        self.conf.chmod(0o600)
        text = self.conf.read_text().replace('policy', 'image_name = "new {file}"\npolicy') + (
            f'[[root]]\nname = "spindle"\npath = "{self.top}/tree/Spindle orientation"\npolicy = "any"\n'
            f'[tell]\nquiet = 0\ncommand = "{hook}"\n[log]\nlevel = "debug"\n')
        self.reload(process, text.replace('[server]\n', '[server]\nuser = "nobody"\n'))
        self.wait_for(lambda: 'engine.paused why=login' in self.log())
        self.reload(process, text)
        shutil.copy(self.top / 'tree/gut/stained/overview.png', self.top / 'tree/gut/later.png')
        self.hear('^STATUS=0 under way; since the start 8 imported')
        shown = subprocess.run([SANDBOX, '--show', '--data', self.top / 'sandbox'], capture_output=True, text=True, check=True).stdout
        self.assertIn('new later.png', shown)
        self.assertIn(' debug: ', self.log())
        self.wait_for((self.top / 'told').exists)
        self.stop(process)

    def test_a_reload_of_a_wrong_configuration_changes_nothing(self):
        process = self.start()
        self.hear('^STATUS=0 under way; since the start 3 imported')
        good = self.conf.read_text()
        self.conf.write_text(good + 'colour = "red"\n')
        process.send_signal(signal.SIGHUP)
        self.hear('^RELOADING=1$')
        self.hear('^READY=1$')
        self.assertRegex(self.messages[-1], rf"STATUS=the new configuration was not taken: {self.conf}:9: unknown key 'colour'")
        self.assertIn('daemon.reload-refused', self.log())
        shutil.copy(self.top / 'tree/gut/stained/overview.png', self.top / 'tree/gut/later.png')
        self.hear('^STATUS=0 under way; since the start 4 imported')
        self.stop(process)

    def test_a_root_that_is_taken_out_is_looked_at_no_more(self):
        process = self.start()
        self.hear('^STATUS=0 under way; since the start 3 imported')
        self.conf.write_text(self.conf.read_text().replace('/tree/gut', '/tree/Spindle orientation'))
        process.send_signal(signal.SIGHUP)
        self.wait_for(lambda: "its name 'gut' is that of the root" in self.log())
        self.assertIsNone(process.poll())
        self.conf.write_text(self.conf.read_text().replace('"gut"', '"spindle"'))
        process.send_signal(signal.SIGHUP)
        self.hear('^STATUS=0 under way; since the start 7 imported')
        self.assertEqual(self.done(), 7)
        self.stop(process)

    def test_a_stop_in_the_middle_loses_nothing(self):
        process = self.start(IMPOMERO_WORKERS='1')
        self.hear('^STATUS=1 under way')
        self.stop(process)
        self.messages.clear()
        process = self.start()
        self.hear('^READY=1$')
        self.wait_for(lambda: self.done() == 3)
        self.stop(process)

    def test_without_a_service_manager_it_runs_as_well(self):
        del self.env['NOTIFY_SOCKET']
        process = self.start()
        self.wait_for(lambda: self.done() == 3)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 0, self.log())


@unittest.skipUnless(os.getuid() == 0 and not os.path.exists('/run/systemd/journal/socket'), 'needs a place without a journal, and root')
class Journal(Bench):
    def test_the_log_goes_there_with_fields(self):
        os.makedirs('/run/systemd/journal', exist_ok=True)
        journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        journal.bind('/run/systemd/journal/socket')
        self.addCleanup(lambda: (journal.close(), os.unlink('/run/systemd/journal/socket')))
        journal.settimeout(20)
        (self.top / 'log').touch()
        at = os.stat(self.top / 'log')
        process = self.start(JOURNAL_STREAM=f'{at.st_dev}:{at.st_ino}')
        while 'IMPOMERO_EVENT=root.looked' not in (entry := journal.recv(65536).decode().splitlines()):
            pass
        self.assertIn(f'IMPOMERO_PATH={self.top}/tree/gut', entry)
        self.assertIn('IMPOMERO_NEW=3', entry)
        self.assertIn('PRIORITY=6', entry)
        self.assertIn('SYSLOG_IDENTIFIER=impomero', entry)
        self.assertTrue([l for l in entry if l.startswith('MESSAGE=root.looked path=')])
        self.stop(process)
        self.assertEqual(self.log(), '')


if __name__ == '__main__':
    unittest.main()
