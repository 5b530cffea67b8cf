#!/usr/bin/env python3
"""The golden trace: every message of one small import into a sandbox, as `--trace=wire` prints it, with what differs from run to
run masked, is what tests/data/trace/import.txt says.

usage: trace.py IMPOMERO OMERO_SANDBOX SOURCE_DIRECTORY [--write]

--write: make the file anew, to be read before it is committed
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

IMPOMERO, SANDBOX, TOP = sys.argv[1:4]
GOLDEN = os.path.join(TOP, 'tests', 'data', 'trace', 'import.txt')
CARD = '''# omero annotation file
project = "Golden"
user = "bob"
group = "lab"
comment = "a trace"
tags = ["wire"]

[kv_pairs]
organism = "Danio rerio"
'''
VOLATILE = [  # what differs from run to run and from machine to machine
    (r'\b(startTime|stopTime|_time|_started|_closed|_mtime|_ctime|_atime)=(RTime\()?-?\d+', r'\1=\2N'),
    (r'\d{4}-\d\d/\d\d/\d\d-\d\d-\d\d\.\d+', 'DATE'),
    (r'RTime\(\d+\)', 'RTime(N)'),
    (r'impomero/[\d.]+', 'impomero/VERSION'),
    (r'(name="(?:os|client\.language)\.[a-z]+" value=)"[^"]*"', r'\1"..."'),
    (r'(name="impomero\.path" value=)"[0-9a-f]{40}"', r'\1"..."'),
    (r'omittedLevels=\d+', 'omittedLevels=N'),
    (r'_sha1=RString\("[^"]*"', '_sha1=RString("..."'),
]
WAITING = re.compile(r'Handle\.(getResponse|getStatus)\b(?!.* ret=ImportResponse)')


def mask(line, directory):
    line = line.replace(directory, '/DIR').replace(directory[1:], 'DIR')
    for pattern, by in VOLATILE:
        line = re.sub(pattern, by, line)
    return line


def settled(lines):
    """The router's answer to addProxies comes before or after the request that follows at once: it is shown behind its own request."""
    answer = re.compile(r'^trace: (\d+) < (\d+) Router\.addProxies\b')
    early = {m.groups(): line for line in lines if (m := answer.match(line))}
    for line in lines:
        if not answer.match(line):
            yield line
        if asked := re.match(r'^trace: (\d+) > (\d+) Router\.addProxies\b', line):
            yield early[asked.groups()]


def masked(lines, directory):
    """Polls until the import is done are as many as it takes: they are left out, and requests are named without their numbers."""
    for line in lines:
        if line.startswith('trace: ') and not WAITING.search(line):
            yield mask(re.sub(r'^(trace: \d+ [<>]) \d+', r'\1', line), directory)


def traced(directory):
    share = os.path.join(directory, 'share')
    os.makedirs(share)
    shutil.copy(os.path.join(TOP, 'sample', 'gut', 'stained', 'overview.png'), share)
    with open(os.path.join(share, 'card.toml'), 'w', encoding='utf-8') as f:
        f.write(CARD)
    users = os.path.join(TOP, 'sample', 'users.toml')
    server = subprocess.Popen([SANDBOX, '--data', os.path.join(directory, 'server'), '--users', users, '--port', '0'],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        port = server.stdout.readline().split('ssl=')[1].split()[0]
        env = {**os.environ, 'OMERO_SERVER': 'localhost', 'OMERO_PORT': port, 'OMERO_ROOT_PASSWORD': 'omero',
               'IMPOMERO_SETTLE': '0', 'IMPOMERO_STATE': os.path.join(directory, 'state')}
        done = subprocess.run([IMPOMERO, 'import', '--again', '--workers=1', '--trace=wire', share], env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=100)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)
        server.stdout.close()
    if done.returncode != 0:
        sys.exit('the import failed:\n' + done.stdout + done.stderr)
    if '="omero"' in done.stderr:
        sys.exit('the password is in the trace')
    return list(masked(settled(done.stderr.splitlines()), directory))


def main():
    directory = os.path.realpath(tempfile.mkdtemp(prefix='impomero-trace-'))
    try:
        lines = traced(directory)
    finally:
        shutil.rmtree(directory)
    if sys.argv[4:] == ['--write']:
        with open(GOLDEN, 'w', encoding='utf-8') as f:
            f.write('\n'.join(lines) + '\n')
    with open(GOLDEN, encoding='utf-8') as f:
        golden = f.read().splitlines()
    for number, (want, got) in enumerate(zip(golden, lines), 1):
        if want != got:
            sys.exit(f'{GOLDEN}:{number}: the message differs (if it is meant to: --write, and read what changed)\n'
                     f'  wanted {want}\n  got    {got}')
    if len(golden) != len(lines):
        sys.exit(f'{len(golden)} messages are wanted, and there were {len(lines)}')
    print(f'{len(lines)} messages as they should be')


if __name__ == '__main__':
    main()
