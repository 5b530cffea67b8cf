"""Small files that are what they say: TIFF with and without OME-XML (TIFF 6.0, OME schema 2016-06)."""
import struct


def tiff(description=b'', grey=0):
    """A grey TIFF of one pixel."""
    rows = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1),
            (278, 3, 1, 1), (279, 4, 1, 1)]
    ifd = 16
    if description:
        end = ifd + 2 + 12 * (len(rows) + 1) + 4
        rows.insert(5, (270, 2, len(description) + 1, end))
    return b'II*\0' + struct.pack('<I', ifd) + bytes((grey,)) + bytes(7) + struct.pack('<H', len(rows)) + b''.join(
        struct.pack('<HHII', *row) for row in rows) + bytes(4) + (description + b'\0' if description else b'')


def ome(*names):
    """An OME-TIFF that is the first plane of a set with these files."""
    planes = ''.join(f'<TiffData IFD="0" FirstT="{t}" PlaneCount="1"><UUID FileName="{name}">urn:uuid:{t}</UUID></TiffData>'
                     for t, name in enumerate(names))
    return tiff((f'<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" UUID="urn:uuid:0">'
                 f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="1" SizeY="1" SizeZ="1"'
                 f' SizeC="1" SizeT="{len(names)}">{planes}</Pixels></Image></OME>').encode())


def card(user='alice', group=None, **more):
    lines = ['# omero annotation file', 'project = "P"', f'user = {quoted(user)}']
    lines += [f'group = {quoted(group)}'] if group else []
    return '\n'.join(lines + [f'{k} = {quoted(v)}' for k, v in more.items()]).encode() + b'\n'


def quoted(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'
