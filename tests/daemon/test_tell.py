#!/usr/bin/env python3
"""What people are told: test_tell.py IMPOMERO SANDBOX TOP"""
import email
import http.server
import json
import re
import subprocess
import threading
import unittest

from test_service import IMPOMERO, TOP, Bench

SCHEMA = json.loads((TOP / 'doc/schema/told.json').read_text())


class Tell(Bench):
    def setUp(self):
        super().setUp()
        self.told = self.top / 'told'
        self.told.mkdir()

    def program(self, name, body):
        path = self.top / name
        path.write_text(f'#!/bin/sh\n{body}\n')
        path.chmod(0o755)
        return path

    def keeper(self, name):
        """A program that keeps each text that it is given, and its arguments."""
        return self.program(name, f'f=$(mktemp {self.told}/{name}.XXXXXX); {{ [ $# = 0 ] || echo "args: $*"; cat; }} >$f; mv $f $f.whole')

    def tell(self, *lines):
        self.conf.write_text(self.conf.read_text() + '[tell]\nquiet = 3\n' + '\n'.join(lines) + '\n')

    def kept(self, name, n=1):
        found = lambda: sorted(self.told.glob(name + '.*.whole'), key=lambda p: p.stat().st_mtime_ns)
        self.wait_for(lambda: len(found()) >= n)
        return [p.read_text() for p in found()]

    def check(self, message):
        self.assertEqual(set(message) - {'dir_b64'}, set(SCHEMA['required']))
        return message

    def test_a_command_learns_that_a_card_is_done(self):
        self.tell(f'command = "{self.keeper("hook")}"')
        process = self.start()
        message = self.check(json.loads(self.kept('hook')[0]))
        self.assertEqual((message['outcome'], message['user'], message['group'], message['project'], message['dataset']),
                         ('completed', 'bob', 'lab', 'Intestine', 'gut'))
        self.assertEqual((message['imported'], message['dir'], message['stuck']), (3, f'{self.top}/tree/gut', []))
        self.stop(process)
        self.assertEqual(len(self.kept('hook')), 1)

    def test_trouble_is_told_once_and_in_plain_words(self):
        card = self.top / 'tree/gut/gut.toml'
        card.write_text(card.read_text().replace('"bob"', '"nobody-here"'))
        self.tell(f'command = "{self.keeper("hook")}"')
        process = self.start()
        message = self.check(json.loads(self.kept('hook')[0]))
        self.assertEqual((message['outcome'], message['imported'], len(message['stuck'])), ('trouble', 0, 3))
        self.assertEqual({s['reason'] for s in message['stuck']}, {'no-user'})
        self.assertIn('nobody-here', message['stuck'][0]['text'])
        self.assertTrue(all(s['hint'] for s in message['stuck']))
        self.stop(process)
        self.assertEqual(len(self.kept('hook')), 1)

    def test_mail_has_checked_headers_and_the_users_name(self):
        self.tell(f'sendmail = "{self.keeper("sendmail")}"', 'mail_to = "{user}@institute.example"', 'mail_from = "omero@institute.example"')
        process = self.start()
        args, text = self.kept('sendmail')[0].split('\n', 1)
        self.assertEqual(args, 'args: -i -t')
        mail = email.message_from_string(text)
        self.assertEqual((mail['To'], mail['From'], mail['Subject']),
                         ('bob@institute.example', 'omero@institute.example', 'impomero: 3 imported, 0 not'))
        self.assertEqual(mail['Auto-Submitted'], 'auto-generated')
        self.assertIn(f'{self.top}/tree/gut', mail.get_payload())
        self.stop(process)

    def test_a_name_that_is_no_plain_word_gets_no_mail(self):
        card = self.top / 'tree/gut/gut.toml'
        card.write_text(card.read_text().replace('"bob"', '"bob, root@example.org"'))
        self.tell(f'sendmail = "{self.keeper("sendmail")}"', 'mail_to = "{user}@institute.example"', f'command = "{self.keeper("hook")}"')
        process = self.start()
        self.kept('hook')
        self.stop(process)
        self.assertEqual(list(self.told.glob('sendmail.*')), [])

    def test_addresses_that_could_end_a_header_are_refused(self):
        good = self.conf.read_text()
        for wrong in ('a@b.example\\nBcc: c@d.example', 'a@b.example, c@d.example', '-oQ/tmp@b.example', 'nobody', '@b.example', 'a b@c.example'):
            self.conf.write_text(good)
            self.tell(f'mail_to = "{wrong}"')
            process = self.start()
            self.assertEqual(process.wait(20), 3, wrong)
        for key in ('mail_from', 'mail_else'):
            self.conf.write_text(good)
            self.tell(f'{key} = "{{user}}@institute.example"')
            self.assertEqual(self.start().wait(20), 3, key)
            self.assertIn('may stand in mail_to alone', self.log())

    def test_a_webhook_gets_json(self):
        got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                got.append((self.headers['Content-Type'], json.loads(self.rfile.read(int(self.headers['Content-Length'])))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass
        server = http.server.HTTPServer(('localhost', 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(lambda: (server.shutdown(), server.server_close()))
        self.tell(f'webhook = "http://localhost:{server.server_port}/hook"')
        process = self.start()
        self.wait_for(lambda: got)
        self.assertEqual(got[0][0], 'application/json')
        self.assertEqual(self.check(got[0][1])['imported'], 3)
        self.stop(process)

    def test_what_fails_is_logged_and_stops_nothing(self):
        self.tell(f'command = "{self.program("fails", "exit 3")}"', 'webhook = "http://localhost:1/"', 'sendmail = "/nonexistent/sendmail"',
                  'mail_to = "a@b.example"')
        process = self.start()
        self.wait_for(lambda: len(re.findall('tell.failed', self.log())) == 3)
        self.assertRegex(self.log(), r'way="command" .*ended with status 3')
        self.assertRegex(self.log(), r'way="mail"')
        self.assertRegex(self.log(), r'way="webhook"')
        self.stop(process)

    def test_a_webhook_without_libcurl_is_logged(self):
        (self.top / 'libcurl.so.4').write_text('no library')
        self.tell('webhook = "http://localhost:1/"')
        process = self.start(LD_LIBRARY_PATH=str(self.top))
        self.wait_for(lambda: 'tell.failed' in self.log())
        self.assertRegex(self.log(), r"way=.webhook.*'libcurl.so.4' cannot be loaded: ")
        self.stop(process)

    def test_more_than_the_limit_are_counted(self):
        self.tell(f'command = "{self.keeper("hook")}"', 'per_hour = 1', 'on = "all"')
        self.conf.write_text(self.conf.read_text() + f'[[root]]\nname = "s"\npath = "{self.top}/tree/Spindle orientation"\npolicy = "any"\n')
        process = self.start()
        self.hear('^STATUS=0 under way; since the start 7 imported')
        self.kept('hook')
        self.stop(process)
        self.assertEqual(len(self.kept('hook')), 1)

    def broken(self, text='# omero annotation file\nproject = "P"\nuser = \n', name='broken.toml'):
        card = self.top / 'tree/gut/stained' / name
        card.write_text(text)
        return card

    def test_a_broken_card_is_told_once_also_after_a_restart(self):
        card = self.broken()
        self.tell(f'command = "{self.keeper("hook")}"', 'on = "trouble"')
        process = self.start()
        message = self.check(json.loads(self.kept('hook')[0]))
        self.assertEqual([message[k] for k in ('outcome', 'user', 'group', 'project', 'dataset', 'dataset_id', 'imported', 'more')],
                         ['trouble', None, None, None, None, None, 0, 0])
        self.assertEqual(message['dir'], f'{self.top}/tree/gut')
        self.assertEqual([(s['path'], s['line'], s['reason']) for s in message['stuck']], [('stained/broken.toml', 3, 'broken-card')])
        self.assertTrue(message['stuck'][0]['text'] and message['stuck'][0]['hint'])
        self.stop(process)
        process = self.start()
        self.hear('^READY=1$')
        self.wait_for(lambda: len(re.findall('root.watched', self.log())) == 2)
        self.broken('# omero annotation file\nproject = "P"\n')
        self.assertIn('user', json.loads(self.kept('hook', 2)[1])['stuck'][0]['text'])
        card.unlink()
        self.wait_for(lambda: self.done() == 3)
        self.stop(process)
        self.assertEqual(len(self.kept('hook')), 2)

    def test_cards_are_told_together_and_by_mail_to_somebody_who_is_known(self):
        for n in range(22):
            self.top.joinpath(f'tree/gut/d{n:02}').mkdir()
            self.broken(name=f'../d{n:02}/c.toml')
        self.tell(f'sendmail = "{self.keeper("sendmail")}"', 'mail_to = "{user}@institute.example"', 'mail_else = "omero@institute.example"',
                  'on = "trouble"')
        process = self.start()
        mail = email.message_from_string(self.kept('sendmail')[0].split('\n', 1)[1])
        self.assertEqual((mail['To'], mail['Subject']), ('omero@institute.example', 'impomero: trouble with 22 cards'))
        body = mail.get_payload()
        self.assertEqual([d for d in range(22) if f'  d{d:02}/c.toml:3\n' in body], list(range(20)))
        self.assertIn('\nand 2 more.\n', body)
        self.stop(process)
        self.assertEqual(len(self.kept('sendmail')), 1)

    def test_cards_that_the_limit_keeps_back_are_told_at_the_next_start(self):
        self.broken()
        (self.top / 'tree/Spindle orientation/embryo 1/bad.toml').write_text('# omero annotation file\n')
        self.tell(f'command = "{self.keeper("hook")}"', 'per_hour = 1', 'on = "trouble"')
        self.conf.write_text(self.conf.read_text() + f'[[root]]\nname = "s"\npath = "{self.top}/tree/Spindle orientation"\npolicy = "any"\n')
        process = self.start()
        first = json.loads(self.kept('hook')[0])['dir']
        self.stop(process)
        self.assertEqual(len(self.kept('hook')), 1)
        process = self.start()
        self.assertNotEqual(json.loads(self.kept('hook', 2)[1])['dir'], first)
        self.stop(process)
        self.assertEqual(len(self.kept('hook')), 2)

    def test_trouble_is_not_told_again_after_a_restart(self):
        card = self.top / 'tree/gut/gut.toml'
        card.write_text(card.read_text().replace('"bob"', '"nobody-here"'))
        self.tell(f'command = "{self.keeper("hook")}"')
        process = self.start()
        self.kept('hook')
        self.stop(process)
        subprocess.run([IMPOMERO, 'retry', f'--config={self.conf}'], env=self.env, capture_output=True, check=True)
        process = self.start()
        self.hear('^STATUS=0 under way; since the start 0 imported, 3 put off or held$')
        self.assertFalse([m for m in self.messages if 'STATUS=-' in m])
        self.stop(process)
        self.assertEqual(len(self.kept('hook')), 1)

    def test_only_trouble_where_that_is_wanted(self):
        self.tell(f'command = "{self.keeper("hook")}"', 'on = "trouble"')
        process = self.start()
        self.hear('^STATUS=0 under way; since the start 3 imported')
        self.stop(process)
        self.assertEqual(list(self.told.glob('hook.*')), [])


if __name__ == '__main__':
    unittest.main()
