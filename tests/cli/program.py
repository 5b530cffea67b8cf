"""The program as people meet it: its table of commands, and what a terminal gets."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios


def commands(program):
    """All of them, as its help lists them."""
    shown = subprocess.run([program, '--help'], capture_output=True, text=True, check=True).stdout
    listed = re.search(r'^Commands:\n(.*?)\n\n', shown, re.S | re.M).group(1)
    return re.findall(r'^  ([a-z]+(?: [a-z]+)?)(?:  |$)', listed, re.M)


def on_terminal(columns, arguments, env=None):
    """What a terminal of so many columns gets, and the status."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    with subprocess.Popen(arguments, env=env, stdin=subprocess.DEVNULL, stdout=slave, stderr=slave) as p:
        os.close(slave)
        out = b''
        try:
            while more := os.read(master, 65536):
                out += more
        except OSError:  # the other end is closed
            pass
        p.wait()
    os.close(master)
    return out.decode('utf-8', 'surrogateescape').replace('\r\n', '\n'), p.returncode
