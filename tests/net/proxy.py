#!/usr/bin/env python3
"""proxy.py - a TCP proxy on the loopback that does to connections what bad links do.

    proxy.py PORT [MODE...]      prints "port N", forwards to PORT; a line on stdin is the new list of
                                 modes; ends with stdin

The n-th connection gets the n-th mode, and the list begins anew after its end:

    pass             as it is
    latency:MS       each piece, both ways, so much later
    slow:BYTES       so many bytes a second, both ways
    reset:N          a reset (RST) after N bytes from the client
    cut:N            an orderly end after N bytes from the server
    half:N           the same, and the client's side is read on: it believes the link is there
    black            takes everything, answers nothing

So that a test can count on it, nothing is left to chance. Not here: TLS, HTTP."""

import socket
import struct
import sys
import threading
import time

modes = ["pass"]
count = 0
lock = threading.Lock()


def mode_of_next():
    global count
    with lock:
        count += 1
        name, _, number = modes[(count - 1) % len(modes)].partition(":")
        return name, int(number or 0)


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Link:
    def __init__(self, client, port):
        self.client = client
        self.name, self.number = mode_of_next()
        self.server = socket.create_connection(("127.0.0.1", port)) if self.name != "black" else None

    def run(self):
        if not self.server:
            while self.client.recv(65536):
                pass
            self.client.close()
            return
        back = threading.Thread(target=self.carry, args=(self.server, self.client, False), daemon=True)
        back.start()
        self.carry(self.client, self.server, True)
        back.join()
        self.client.close()
        self.server.close()

    def piece(self):
        return max(1, self.number // 20) if self.name == "slow" else 65536

    def carry(self, from_, to, is_up):
        seen = 0
        try:
            while True:
                some = from_.recv(self.piece())
                if not some:
                    break
                if self.name == "latency":
                    time.sleep(self.number / 1000)
                elif self.name == "slow":
                    time.sleep(len(some) / self.number)
                elif self.name == "reset" and is_up and seen + len(some) > self.number:
                    to.sendall(some[:self.number - seen])
                    reset(to)
                    reset(from_)
                    return
                elif self.name in ("cut", "half") and not is_up and seen + len(some) > self.number:
                    to.sendall(some[:self.number - seen])
                    break
                seen += len(some)
                to.sendall(some)
            if self.name != "half":
                to.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def link(client, port):
    try:
        Link(client, port).run()
    except OSError:
        client.close()


def accept(listener, port):
    while True:
        client, _ = listener.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=link, args=(client, port), daemon=True).start()


def main():
    global modes
    modes = sys.argv[2:] or modes
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print("port", listener.getsockname()[1], flush=True)
    threading.Thread(target=accept, args=(listener, int(sys.argv[1])), daemon=True).start()
    for line in sys.stdin:
        with lock:
            modes = line.split() or ["pass"]


if __name__ == "__main__":
    main()
