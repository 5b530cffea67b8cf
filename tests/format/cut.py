#!/usr/bin/env python3
"""Files that lack their end are told from whole ones: real files, whole, at 90 % and at 50 %.

Usage: cut.py IMPOMERO.  The files lie beside the repository (IMPOMERO_SHARED); without them the test is skipped.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARTS = (100, 90, 50)
# Sets of one file, or of which the largest one is cut.  Not among them: a file of which only what no image needs lies behind the cut
# (tiff-olympus-sis: the maker's own data), what is deferred anyway, and texts.
SETS = '''czi-airyscan-lsm880 czi-dapi-gfp czi-lattice-lightsheet czi-scenes-mosaic dicom-ct dm3-gatan dm4-gatan dv-deltavision
lif-lasx-lambda lif-xz-two-channels made-avi made-czi-8bit-time made-czi-mosaic made-czi-rgb made-czi-three-scenes
made-dicom-highdicom-rgb made-dv-priism made-fits made-ics-ids-pair made-ics-one-file made-imagej-hyperstack made-imaris made-jpeg2000
made-mrc made-nifti made-nifti-pair made-nrrd-detached made-ome-companion made-ome-tiff-5d made-ome-tiff-bigtiff made-ome-tiff-plate
made-ome-tiff-pyramid made-ome-tiff-set made-ome-tiff-three-images made-ome-xml made-quicktime made-svs-like made-tiff-float-bigendian
made-tiff-numbered metamorph-nd-stk metamorph-tiff mrc-emdb-map nd2-multichannel nd2-old-jpeg2000 nd2-zstack ndtiff-micromanager
nikon-tiff oib-fluoview ome-tiff-czt ome-xml-plate prairie-linescan-pair prairie-ome-tiff-alone qupath-ome-tiff-2c sif-andor
spe-princeton svs-aperio tiff-axiovision'''.split()


def is_taken(impomero, top, name):
    done = subprocess.run([impomero, 'groups', '--json', top], capture_output=True, check=True)
    return any(name in group['files'] for group in json.loads(done.stdout)['groups'])


def largest(top):
    files = [os.path.join(d, f) for d, _, names in os.walk(top) for f in names]
    return os.path.relpath(max(files, key=lambda f: (os.path.getsize(f), f)), top)


def outcomes(impomero, source, top):
    """For each part of its largest file: is it taken as whole?"""
    name = largest(source)
    for part in PARTS:
        copy = os.path.join(top, f'{part}')
        shutil.copytree(source, copy, copy_function=shutil.copyfile)
        path = os.path.join(copy, name)
        os.truncate(path, os.path.getsize(path) * part // 100)
        yield is_taken(impomero, copy, name)


def main():
    shared = os.path.join(os.environ.get('IMPOMERO_SHARED') or os.path.join(os.path.dirname(TOP), 'shared'), 'samples', 'sets')
    if not os.path.exists(shared):
        print('no sample files: set IMPOMERO_SHARED')
        return 77
    failed = 0
    for s in SETS:
        with tempfile.TemporaryDirectory() as top:
            got = list(outcomes(sys.argv[1], os.path.join(shared, s), top))
        if got != [True, False, False]:
            failed += 1
            print(f'{s}: whole, 90 %, 50 %: taken {got}')
    print(f'{len(SETS)} sets, {failed} failed')
    return 1 if failed else 0


sys.exit(main())
