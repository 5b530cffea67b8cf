#!/usr/bin/env python3
"""doc/formats.md is what `impomero formats` prints.  Usage: formats.py IMPOMERO PAGE."""
import subprocess
import sys

want = subprocess.run([sys.argv[1], 'formats'], capture_output=True, check=True, text=True).stdout
with open(sys.argv[2], encoding='utf-8') as f:
    have = f.read()
if want != have:
    print('%s is old: impomero formats >%s' % (sys.argv[2], sys.argv[2]))
sys.exit(want != have)
