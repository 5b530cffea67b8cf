#!/usr/bin/env python3
"""`impomero doctor` against a sandbox: what is right, and each thing that can be wrong.

usage: test_doctor.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY
"""
import json
import os
import sys
import unittest

from served import Served

Served.IMPOMERO, Served.SANDBOX, Served.TOP = sys.argv[1:4]
with open(os.path.join(Served.TOP, 'doc', 'schema', 'check.json'), encoding='utf-8') as _f:
    SCHEMA = json.load(_f)
SERVER = ['name', 'port', 'tls', 'login', 'rights', 'version', 'clock', 'user', 'sudo', 'repository', 'checksums']
ALL = SERVER + ['space', 'ledger', 'service', 'root', 'owners', 'watch', 'in-place']


class Doctor(Served):
    def checks(self, *args, status=0, **env):
        self.run_it('doctor', '--json', *args, status=status, **env)
        found = json.loads(self.out)['checks']
        for c in found:
            self.assertEqual(set(c), set(SCHEMA['required']))
            self.assertIn(c['outcome'], SCHEMA['properties']['outcome']['enum'])
            self.assertEqual(c['reason'] is not None, c['outcome'] == 'bad')
            self.assertFalse(c['outcome'] in ('bad', 'doubtful') and not c['hint'], c)
        return {c['check']: c for c in found}

    def outcomes(self, checks, names):
        return {checks[n]['outcome'] for n in names}

    def test_all_is_tried(self):
        found = self.checks('--for=alice', '--link', '--trusted', self.share)
        self.assertEqual(list(found), ALL)
        self.assertEqual(self.outcomes(found, ALL), {'ok'})
        self.assertIn('lab', found['user']['text'])
        self.assertIn('rwra--', found['sudo']['text'])
        self.assertEqual(found['repository']['text'], os.path.join(self.data, 'ManagedRepository'))
        self.assertIn('SHA1-160', found['checksums']['text'])
        text = self.run_it('doctor', '--for=alice', self.share)
        self.assertEqual(len(text.splitlines()), len(ALL) + 1)
        self.assertIn('0 bad, 0 to look at', text)

    def test_nothing_stays_of_it(self):
        before = self.shown()
        self.checks('--for=alice', '--link', '--trusted', self.share)
        self.assertEqual(self.shown(), before)

    def test_a_name_that_is_not_found(self):
        found = self.checks('--server=nosuch.invalid', status=4)
        self.assertEqual(found['name']['reason'], 'no-server')
        self.assertEqual(self.outcomes(found, SERVER[1:]), {'left-out'})

    def test_a_port_that_does_not_answer(self):
        self.server.terminate()
        self.server.wait(60)
        found = self.checks(status=4)
        self.assertEqual(found['port']['reason'], 'no-server')

    def test_a_wrong_password(self):
        found = self.checks(status=5, OMERO_ROOT_PASSWORD='wrong')
        self.assertEqual((found['tls']['outcome'], found['login']['reason'], found['sudo']['outcome']), ('ok', 'login',
                                                                                                         'left-out'))

    def test_no_password(self):
        self.assertEqual(self.checks(status=3, OMERO_ROOT_PASSWORD='')['login']['reason'], 'config')

    def test_rights_that_are_missing_are_named(self):
        found = self.checks(status=5, OMERO_ROOT_USER='alice', OMERO_ROOT_PASSWORD='secret')
        self.assertEqual(found['rights']['reason'], 'no-right')
        self.assertIn('Sudo', found['rights']['hint'])

    def test_the_privilege_sudo_is_enough(self):
        found = self.checks('--for=alice', OMERO_ROOT_USER='importer', OMERO_ROOT_PASSWORD='secret')
        self.assertEqual(self.outcomes(found, SERVER), {'ok'})

    def test_users_that_cards_may_not_name(self):
        for user, reason in (('nosuch', 'no-user'), ('dave', 'deactivated'), ('root', 'refused'), ('importer', 'refused')):
            self.assertEqual(self.checks(f'--for={user}', status=1)['user']['reason'], reason)
        self.assertEqual(self.checks('--for=alice', '--group=priv', status=1)['user']['reason'], 'not-member')
        self.assertEqual(self.checks('--for=alice', '--group=nosuch', status=1)['user']['reason'], 'no-group')
        self.assertIn('images go to ro', self.checks('--for=alice', '--group=ro')['user']['text'])

    def test_another_certificate_is_refused_until_it_is_pinned(self):
        known = os.path.join(self.state, 'known_servers')
        os.makedirs(self.state, mode=0o700)
        with open(known, 'w', encoding='utf-8') as f:
            f.write(f'localhost:{self.port} {"0" * 64}\n')
        found = self.checks(status=4)
        self.assertEqual(found['tls']['reason'], 'certificate')
        self.assertIn('doctor --pin', found['tls']['hint'])
        self.assertEqual(found['login']['outcome'], 'left-out')
        found = self.checks('--pin')
        self.assertEqual((found['tls']['outcome'], found['login']['outcome']), ('ok', 'ok'))
        with open(known, encoding='utf-8') as f:
            self.assertIn(found['tls']['text'].split()[-1], f.read())
        self.assertEqual(self.checks()['tls']['outcome'], 'ok')

    def test_links_that_the_server_does_not_see(self):
        found = self.checks('--link', '--trusted', f'--in-place-paths={self.share}=/nowhere', self.share, status=1)
        self.assertEqual(found['in-place']['reason'], 'in-place')
        self.assertIn('path: ', found['in-place']['text'])
        self.assertEqual(self.checks('--link', self.share, status=3)['in-place']['reason'], 'config')
        self.assertEqual(self.checks(self.share)['in-place']['outcome'], 'left-out')

    def test_a_root_that_is_away(self):
        config = os.path.join(self.dir, 'impomero.toml')
        with open(config, 'w', encoding='utf-8') as f:
            f.write(f'[[root]]\nname = "gone"\npath = "{self.dir}/gone"\npolicy = "any"\n')
        found = self.checks('--config', config, status=1)
        self.assertEqual((found['root']['root'], found['root']['reason']), ('gone', 'root-away'))
        self.assertEqual(self.outcomes(found, ['owners', 'watch', 'in-place']), {'left-out'})


if __name__ == '__main__':
    unittest.main(argv=sys.argv[:1], verbosity=2)
