"""Looks at the display of a QEMU machine from outside."""
import json
import re
import socket
import struct
import time
import zlib


class Failed(Exception):
    pass


def connect(path, deadline):
    """A socket to one of the machine's, which may not be there yet."""
    while True:
        try:
            s = socket.socket(socket.AF_UNIX)
            s.connect(path)
            return s
        except OSError:
            s.close()
            if time.monotonic() > deadline:
                raise Failed(f'cannot connect to {path}') from None
            time.sleep(0.1)


class Monitor:
    """QEMU's machine protocol: a JSON object a line, in both directions."""

    def __init__(self, path, deadline):
        self.socket = connect(path, deadline)
        self.socket.settimeout(30)
        self.lines = self.socket.makefile('r')
        self.lines.readline()
        self.command('qmp_capabilities')

    def command(self, name, **arguments):
        try:
            self.socket.sendall(json.dumps({'execute': name, 'arguments': arguments}).encode())
            while True:
                line = self.lines.readline()
                if not line:
                    raise Failed('the machine ended too early')
                reply = json.loads(line)
                if 'error' in reply:
                    raise Failed(f'{name}: {reply["error"]["desc"]}')
                if 'return' in reply:
                    return reply['return']
        except OSError as error:
            raise Failed(f'the machine ended too early ({error})') from error


def read_ppm(path):
    """Width, height and the RGB bytes of a binary PPM without comments."""
    head = re.match(rb'P6\s(\d+)\s(\d+)\s255\s', data := path.read_bytes())
    if not head:
        raise Failed('the screen dump is no PPM')
    width, height = int(head[1]), int(head[2])
    pixels = data[head.end():]
    if len(pixels) != 3 * width * height:
        raise Failed('the screen dump is incomplete')
    return width, height, pixels


def fnv1a(data):
    hash_ = 0xcbf29ce484222325
    for byte in data:
        hash_ = ((hash_ ^ byte) * 0x100000001b3) & 0xffffffffffffffff
    return f'{hash_:016x}'


def png(width, height, pixels):
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    rows = b''.join(b'\0' + pixels[y * 3 * width:(y + 1) * 3 * width] for y in range(height))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(rows, 9)) + chunk(b'IEND', b''))
