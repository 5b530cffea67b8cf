#!/usr/bin/env python3
"""Write the seeds of the fuzz targets from the recorded conversations.

usage: make_seeds.py VECTORS_DIRECTORY FUZZ_DIRECTORY

Makes corpus/ice_message/* (whole messages) and corpus/ice_graph/* (what fuzz_ice_graph.c reads) below FUZZ_DIRECTORY.  Of each
operation, direction, status and encoding the shortest message and the longest one below a limit are taken.
"""
import hashlib
import json
import os
import re
import sys

FILES = ['encoding-1.0', 'encoding-1.1', 'encoding-1.1-sliced', 'real-server-1.1', 'framing']
LONGEST = 6000


def op_numbers(fuzz):
    """Operation name -> its place in the table of fuzz_ice_graph.c."""
    with open(os.path.join(fuzz, 'fuzz_ice_graph.c'), encoding='utf-8') as file:
        table = re.search(r'ops\[\] = \{(.*?)\};', file.read(), re.S).group(1)
    return re.findall(r'&(om_\w+)_op', table)


def snake(name):
    return re.sub(r'([a-z0-9])([A-Z])', r'\1_\2', name).lower()


def messages(vectors, name):
    with open(os.path.join(vectors, name + '.json'), encoding='utf-8') as file:
        steps = json.load(file)['vectors']
    operations = {}
    for message in (m for step in steps for m in step['messages'] if 'hex' in m):
        key = (message.get('connection'), message.get('request_id'))
        if message['type'] == 'request':
            operations[key] = message.get('operation', '')
        yield message, operations.get(key, '')


def choose(found):
    """Shortest and longest of each kind."""
    for kind in sorted(found):
        rows = sorted((r for r in found[kind] if len(r) <= LONGEST), key=lambda r: (len(r), r))
        yield from rows[:1] + rows[-1:]


def write(directory, seeds):
    os.makedirs(directory, exist_ok=True)
    for seed in seeds:
        with open(os.path.join(directory, hashlib.sha1(seed).hexdigest()[:16]), 'wb') as file:
            file.write(seed)


def main():
    vectors, fuzz = sys.argv[1:]
    places = op_numbers(fuzz)
    whole, graphs = {}, {}
    for name in FILES:
        for message, operation in messages(vectors, name):
            data = bytes.fromhex(message['hex'])
            status = message.get('status', 0)
            whole.setdefault((message['type'], status, message.get('encoding', ''), name), []).append(data)
            place = next((i for i, p in enumerate(places) if p.endswith('_' + snake(operation))), None)
            if 'encaps_offset' not in message or place is None:
                continue
            side = 0 if message['type'] == 'request' else 1 + status
            graphs.setdefault((place if side < 2 else 0, side, name), []).append(
                bytes([place, side]) + data[message['encaps_offset']:])
    write(os.path.join(fuzz, 'corpus', 'ice_message'), choose(whole))
    write(os.path.join(fuzz, 'corpus', 'ice_graph'), choose(graphs))


if __name__ == '__main__':
    main()
