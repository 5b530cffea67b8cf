#!/usr/bin/env python3
"""The files that the page serves as they are, as C: embed.py FILE...  A row each: address, type, bytes."""
import os
import sys

TYPES = {'.css': 'text/css; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.svg': 'image/svg+xml',
         '.json': 'application/schema+json'}


def main():
    print('#include "web/static_files.h"\n')
    rows = []
    for i, path in enumerate(sys.argv[1:]):
        with open(path, 'rb') as f:
            data = f.read()
        name, ending = os.path.basename(path), os.path.splitext(path)[1]
        print(f'static const unsigned char file_{i}[] = {{{",".join(map(str, data))}}};')
        rows.append(f'    {{"{"/schema/" if ending == ".json" else "/"}{name}", "{TYPES[ending]}", file_{i}, sizeof(file_{i})}},')
    print('\nconst struct static_file static_files[] = {\n' + '\n'.join(rows) + '\n};\nconst size_t n_static_files = ' + f'{len(rows)};')


main()
