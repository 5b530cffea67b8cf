#!/usr/bin/env python3
"""What somebody may try against the page, and that none of it works: test_attempts.py IMPOMERO SANDBOX TOP."""
import base64
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest

from page import HOSTILE_TEXT, Page

IMPOMERO, SANDBOX, TOP = sys.argv[1:4]
del sys.argv[1:4]
TOKEN = 'correct-horse-battery-staple'
PAGES = ['/', '/problems', '/cards', '/history', '/search?q=mallory', '/search?q=%2F', '/fileset?id=1', '/nothing']


class Open(unittest.TestCase):
    """On loopback, without a token."""

    @classmethod
    def setUpClass(cls):
        cls.page = Page(IMPOMERO, SANDBOX, TOP).__enter__()
        cls.addClassCleanup(cls.page.__exit__, None, None, None)
        cls.page.add_trouble()
        cls.page.watch()
        cls.page.await_quiet(done=7)

    def get(self, *args, **kwargs):
        return self.page.get(*args, **kwargs)

    def test_another_name_in_host(self):
        for host in ('evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost.evil.example'):
            status, _, body = self.get('/api/v1/filesets', headers={'Host': host})
            self.assertEqual(status, 421, host)
            self.assertNotIn(b'items', body)

    def test_no_host_or_two(self):
        self.assertRegex(self.page.raw(b'GET / HTTP/1.0\r\n\r\n'), rb'^HTTP/1\.[01] 400')
        self.assertRegex(self.page.raw(b'GET / HTTP/1.1\r\nConnection: close\r\n\r\n'), rb'^HTTP/1\.[01] 400')
        self.assertRegex(self.page.raw(b'GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n'),
                         rb'^HTTP/1\.[01] 400')

    def test_a_host_in_the_request_line(self):
        self.assertRegex(self.page.raw(b'GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'),
                         rb'^HTTP/1\.[01] 400')

    def test_a_read_from_another_origin(self):
        status, headers, _ = self.get('/api/v1/status', headers={'Origin': 'http://evil.example'})
        self.assertEqual(status, 403)
        self.assertFalse([h for h in headers if h.startswith('access-control')])

    def test_a_preflight(self):
        status, headers, _ = self.get('/api/v1/status', 'OPTIONS', {'Origin': 'http://evil.example',
                                                                   'Access-Control-Request-Method': 'GET'})
        self.assertEqual(status, 405)
        self.assertFalse([h for h in headers if h.startswith('access-control')])

    def test_a_script_or_picture_tag_elsewhere(self):
        for site in ('cross-site', 'same-site'):
            status, _, _ = self.get('/api/v1/status', headers={'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': 'no-cors'})
            self.assertEqual(status, 403)

    def test_a_frame_elsewhere(self):
        _, headers, _ = self.get('/')
        self.assertEqual(headers['x-frame-options'], 'DENY')
        self.assertIn("frame-ancestors 'none'", headers['content-security-policy'])

    def test_every_answer_is_strict(self):
        for target in [*PAGES, '/metrics', '/healthz', '/style.css', '/page.js', '/schema/card.json', '/api/v1/cards', '/%zz']:
            _, headers, _ = self.get(target)
            csp = headers['content-security-policy']
            self.assertTrue(csp.startswith("default-src 'none'; style-src 'self'; img-src 'self'"), target)
            self.assertNotIn('unsafe', csp)
            self.assertEqual(headers['x-content-type-options'], 'nosniff', target)
            self.assertEqual(headers['cross-origin-resource-policy'], 'same-origin', target)
            self.assertFalse([h for h in headers if h.startswith('access-control')], target)

    def test_script_in_file_names(self):
        seen = 0
        for target in PAGES:
            body = self.get(target)[2]
            self.assertNotIn(b'<img', body, target)
            self.assertNotRegex(body, rb'onerror=(?![^<>"]*&gt;)', target)
            seen += b'&lt;img src=x' in body
        self.assertGreaterEqual(seen, 3)

    def test_script_in_texts_of_cards_and_names_of_users(self):
        seen = 0
        for target in PAGES:
            body = self.get(target)[2].decode()
            self.assertEqual(re.findall('<script[^>]*>', body), ['<script src="/page.js" defer>'], target)
            seen += HOSTILE_TEXT.replace('<', '&lt;').replace('>', '&gt;') in body
        self.assertGreaterEqual(seen, 3)

    def test_control_characters_in_file_names(self):
        for target in [*PAGES, '/metrics', '/api/v1/problems']:
            body = self.get(target)[2]
            self.assertNotIn(b'\x1b', body, target)
            body.decode('utf-8')

    def test_script_in_the_search(self):
        for text in ('%3Cscript%3Ealert(1)%3C/script%3E', '%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E', "%27%20onfocus=alert(1)%20x=%27"):
            body = self.get(f'/search?q={text}&by={text}')[2].decode()
            self.assertEqual(re.findall('<script[^>]*>', body), ['<script src="/page.js" defer>'])
            self.assertNotIn('<img', body)
            self.assertNotRegex(body, r"value=\"[^\"]*' onfocus")

    def test_sql_in_the_search(self):
        for text in ("'%20OR%20'1'='1", "%22;DROP%20TABLE%20fileset;--", "x'%20UNION%20SELECT%20value%20FROM%20meta--"):
            for target in (f'/search?q={text}', f'/api/v1/filesets?user={text}', f'/api/v1/filesets?path=/{text}',
                           f'/api/v1/cards?user={text}'):
                status, _, body = self.get(target)
                self.assertEqual(status, 200, body)
                if target.startswith('/api'):
                    self.assertEqual(json.loads(body)['items'], [], target)
            self.assertEqual(self.get(f'/api/v1/filesets?after={text}')[0], 400)
            self.assertEqual(self.get(f'/api/v1/problems?after={text}')[0], 400)
        self.assertEqual(self.page.counts()['done'], 7)

    def test_paths_out_of_the_static_folder(self):
        for target in ('/../../etc/passwd', '/schema/../../../etc/passwd', '/schema/%2e%2e/%2e%2e/etc/passwd', '//etc/passwd',
                       '/schema/..%2f..%2fweb.h', '/style.css/../x', '/%2fetc%2fpasswd', '/schema/', '/schema', '/style.css%20',
                       '/schema/card.json/'):
            status, _, body = self.get(target)
            self.assertEqual(status, 404, target)
            self.assertNotIn(b'root:', body)

    def test_zero_bytes_and_wrong_escapes(self):
        for target in ('/%00', '/style.css%00.html', '/search?q=%00', '/%', '/search?q=%F', '/search?q=%zz'):
            self.assertEqual(self.get(target)[0], 400, target)

    def test_a_huge_address(self):
        self.assertEqual(self.get('/search?q=' + 'a' * 5000)[0], 400)
        self.assertRegex(self.page.raw(b'GET /' + b'a' * 200000 + b' HTTP/1.1\r\nHost: localhost\r\n\r\n'), rb'^(HTTP/1\.[01] 4..|$)')

    def test_a_huge_head(self):
        got = self.page.raw(b'GET / HTTP/1.1\r\nHost: localhost\r\n' + b'X-A: ' + b'b' * 500000 + b'\r\n\r\n')
        self.assertRegex(got, rb'^(HTTP/1\.[01] 4..|$)')
        got = self.page.raw(b'GET / HTTP/1.1\r\nHost: localhost\r\n' + b'A: b\r\n' * 50000 + b'\r\n')
        self.assertRegex(got, rb'^(HTTP/1\.[01] 4..|$)')

    def test_a_huge_body(self):
        got = self.page.raw(b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n' + b'x' * 100000)
        self.assertRegex(got, rb'^(HTTP/1\.[01] 405|$)')
        self.assertEqual(self.get('/healthz')[0], 200)

    def test_two_requests_in_one(self):
        """What some proxy might take for one request and we for two."""
        got = self.page.raw(b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
                            b'GET /api/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n')
        self.assertNotIn(b'state_dir', got)

    def test_other_methods(self):
        for method in ('POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'CONNECT', 'PROPFIND'):
            status = self.page.raw(f'{method} /api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'.encode())
            self.assertRegex(status, rb'^HTTP/1\.[01] (405|400)', method)

    def test_head_says_what_get_says_without_its_body(self):
        status, headers, body = self.get('/metrics', 'HEAD')
        self.assertEqual((status, body), (200, b''))
        self.assertGreater(int(headers['content-length']), 100)

    def test_lists_without_end(self):
        for target in ('/api/v1/filesets?limit=100000', '/api/v1/filesets?limit=0', '/api/v1/events?limit=-1', '/api/v1/cards?after=-1',
                       '/api/v1/problems?limit=201', '/api/v1/filesets?state=none'):
            self.assertEqual(self.get(target)[0], 400, target)

    def test_a_slow_request_is_cut_and_keeps_nobody_out(self):
        """A byte a second, from more connections than are served at a time."""
        slow = []
        for _ in range(80):
            s = socket.create_connection(('127.0.0.1', self.page.port), timeout=60)
            s.sendall(b'GET / HTTP/1.1\r\nHost: localhost\r\nX: ')
            slow.append(s)
        began, answered = time.monotonic(), None
        try:
            while answered is None:
                for s in slow:
                    try:
                        s.send(b'a')
                    except OSError:
                        pass
                try:
                    answered = self.page.raw(b'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', seconds=2)
                except TimeoutError:
                    self.assertLess(time.monotonic() - began, 60)
            self.assertIn(b' 200 ', answered.splitlines()[0])
        finally:
            for s in slow:
                s.close()

    def test_many_connections_in_turn(self):
        for _ in range(300):
            socket.create_connection(('127.0.0.1', self.page.port), timeout=30).close()
        self.assertEqual(self.get('/healthz')[0], 200)

    def test_the_page_changes_nothing(self):
        before = self.page.json('/api/v1/events')['items'][0]['id']
        for target in ('/retry?path=/', '/forget?path=/', '/api/v1/retry', '/api/v1/requests'):
            self.assertEqual(self.get(target)[0], 404)
        self.assertEqual(self.page.json('/api/v1/events')['items'][0]['id'], before)

    def test_no_secret_is_shown(self):
        for target in [*PAGES, '/metrics', '/api/v1/status', '/api/v1/filesets', '/api/v1/fileset?id=1', '/api/v1/datasets']:
            body = self.get(target)[2]
            self.assertNotIn(b'"job"', body)
            self.assertNotIn(b'session_id', body)
            self.assertNotIn(b'password', body.lower(), target)


class Guarded(unittest.TestCase):
    """With a token, also on loopback."""

    @classmethod
    def setUpClass(cls):
        cls.page = Page(IMPOMERO, SANDBOX, TOP, token=TOKEN, web_hosts='omero.example.org').__enter__()
        cls.addClassCleanup(cls.page.__exit__, None, None, None)
        cls.page.watch()

    def test_no_token(self):
        for target in [*PAGES, '/metrics', '/healthz', '/readyz', '/api/v1/status', '/style.css', '/schema/card.json']:
            status, headers, body = self.page.get(target)
            self.assertEqual(status, 401, target)
            self.assertTrue(headers['www-authenticate'].startswith('Basic '))
            self.assertLess(len(body), 100)

    def test_a_wrong_token(self):
        for given in ('Bearer ' + TOKEN[:-1], 'Bearer ' + TOKEN + 'x', 'Bearer', 'Bearer ', 'Bearer ' + TOKEN.upper(), TOKEN,
                      'Basic ' + base64.b64encode(b'admin:admin').decode(), 'Basic ' + base64.b64encode(TOKEN.encode()).decode()):
            self.assertEqual(self.page.get('/', headers={'Authorization': given})[0], 401, given)
        self.assertEqual(self.page.get(f'/?token={TOKEN}')[0], 401)
        self.assertEqual(self.page.get('/', headers={'Cookie': f'token={TOKEN}'})[0], 401)

    def test_the_right_one(self):
        for given in ('Bearer ' + TOKEN, 'Basic ' + base64.b64encode(b'x:' + TOKEN.encode()).decode()):
            self.assertEqual(self.page.get('/', headers={'Authorization': given})[0], 200)
        right = {'Authorization': 'Bearer ' + TOKEN}
        self.assertEqual(self.page.get('/', headers={**right, 'Host': 'omero.example.org'})[0], 200)
        self.assertEqual(self.page.get('/', headers={**right, 'Host': 'evil.example'})[0], 421)

    def test_the_token_is_nowhere(self):
        for target in ('/', '/metrics', '/api/v1/status'):
            self.assertNotIn(TOKEN.encode(), self.page.get(target, headers={'Authorization': 'Bearer ' + TOKEN})[2])
        self.assertNotIn(TOKEN, self.page.logged())
        shown = subprocess.run([IMPOMERO, 'config', 'show'], env={**self.page.env, 'IMPOMERO_WEB_TOKEN': TOKEN}, capture_output=True,
                               text=True, check=True).stdout
        self.assertNotIn(TOKEN, shown)


class Settings(unittest.TestCase):
    def check(self, **env):
        return subprocess.run([IMPOMERO, 'config', 'check'], env={'PATH': '/usr/bin', 'HOME': '/nonexistent', **env}, capture_output=True,
                              text=True, check=False)

    def test_beyond_loopback_a_token_is_needed(self):
        for at in ('0.0.0.0:4080', '[::]:4080', '192.0.2.1:4080'):
            done = self.check(IMPOMERO_WEB_LISTEN=at)
            self.assertEqual(done.returncode, 3)
            self.assertIn('web.token', done.stderr)
            self.assertEqual(self.check(IMPOMERO_WEB_LISTEN=at, IMPOMERO_WEB_TOKEN=TOKEN).returncode, 0)
        self.assertEqual(self.check(IMPOMERO_WEB_LISTEN='4080').returncode, 0)

    def test_it_may_be_a_credential_of_the_service_manager(self):
        with tempfile.TemporaryDirectory() as folder:
            at = pathlib.Path(folder, 'impomero.web-token')
            for text, status in ((TOKEN + '\n', 0), ('\n', 3), ('short\n', 3)):
                at.write_text(text)
                done = self.check(IMPOMERO_WEB_LISTEN='0.0.0.0:4080', CREDENTIALS_DIRECTORY=folder)
                self.assertEqual(done.returncode, status, done.stderr)

    def test_a_short_token_is_none(self):
        done = self.check(IMPOMERO_WEB_LISTEN='4080', IMPOMERO_WEB_TOKEN='secret')
        self.assertEqual(done.returncode, 3)
        self.assertIn('shorter than 16', done.stderr)

    def test_a_token_is_no_option(self):
        done = subprocess.run([IMPOMERO, 'watch', '--web-token=' + TOKEN, '/tmp'], env={'PATH': '/usr/bin', 'HOME': '/nonexistent'},
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == '__main__':
    unittest.main(verbosity=2)
