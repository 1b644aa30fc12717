"""power_cut.py - what a disk may hold after the power failed, from a trace.

The model is the weakest that file systems promise. Data that was written and not
synced is there or not, each 512 bytes on their own, in any combination. What a
failed sync was to write may be lost for good, and no later sync brings it back.
Names (create, rename, unlink) are kept in their order up to some point, at least
up to the last sync of their folder or of the file itself. The far ends (far/) are
other machines: what they were given, they have. Of the ballast only the size counts.

Not here: taking the trace (fault_trace.c), running what the states hold.
"""

import os

SECTOR = 512


class File:
    """Content that is safe, and what was written since, sector by sector."""

    def __init__(self, safe=b""):
        self.safe = bytearray(safe)
        self.pending = []  # (offset, bytes), or (size, None) for a truncation
        self.doomed = []   # what a failed sync was to write
        self.reach = len(safe)

    def write(self, offset, data, is_safe):
        if not is_safe:
            self.pending.append((offset, data))
            return
        self._apply(self.safe, offset, data)
        self.pending = self._beside(self.pending, offset, data)
        self.doomed = self._beside(self.doomed, offset, data)

    def truncate(self, size):
        self.pending.append((size, None))

    def sync(self, ok):
        if ok:
            for offset, data in self.pending:
                self._apply(self.safe, offset, data)
                self.doomed = self._beside(self.doomed, offset, data)
        else:
            self.doomed += self.pending
        self.pending = []

    @staticmethod
    def _beside(writes, offset, data):
        """Those that a newer write does not touch."""
        end = offset + len(data) if data is not None else 1 << 62
        return [(at, old) for at, old in writes if old is None or at >= end or at + len(old) <= offset]

    @staticmethod
    def _apply(content, offset, data):
        if data is None:
            del content[offset:]
            content.extend(bytes(offset - len(content)))
            return
        if len(content) < offset + len(data):
            content.extend(bytes(offset + len(data) - len(content)))
        content[offset:offset + len(data)] = data

    def whole(self):
        content = bytearray(self.safe)
        for offset, data in self.pending:
            self._apply(content, offset, data)
        return content

    def after_cut(self, chance):
        """One content that may be found."""
        content = bytearray(self.safe)
        share = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for offset, data in self.doomed + self.pending:
            if data is None:
                if chance.random() < share:
                    self._apply(content, offset, None)
                continue
            at = 0
            while at < len(data):
                n = min(SECTOR - (offset + at) % SECTOR, len(data) - at)
                if chance.random() < share:
                    self._apply(content, offset + at, data[at:at + n])
                at += n
        return content


class Disk:
    """A folder as it is, and as it is safe; and the folder of the far ends."""

    def __init__(self, watch, far):
        self.far = far
        self.now = {}   # path -> File, None for a folder
        self.names = {}  # the same, as far as it is safe
        self.waiting = []  # operations on names that are not safe yet
        for root, folders, files in (entry for folder in (watch, far) for entry in os.walk(folder)):
            for name in folders:
                self.now[os.path.join(root, name)] = None
            for name in files:
                path = os.path.join(root, name)
                with open(path, "rb") as f:
                    self.now[path] = File(f.read())
        self.names = dict(self.now)

    # ---- what was done ----

    def apply(self, what, fields, data):
        getattr(self, "do_" + what)(fields, data)

    def do_data(self, fields, data):
        offset, _, is_safe, path = fields
        file = self._file(path)
        file.reach = max(file.reach, int(offset) + len(data))
        if os.path.basename(path) == "ballast":
            return
        if path.startswith(self.far):
            file.write(int(offset), data, True)
        else:
            file.write(int(offset), data, is_safe == "1")

    def do_sync(self, fields, _):
        ok, path = fields[0] == "0", fields[1]
        file = self.now.get(path)
        if file is not None:
            file.sync(ok)
        if not ok:
            return
        last = max((i for i, (_, paths, _) in enumerate(self.waiting)
                    if path in paths or path in map(os.path.dirname, paths)), default=-1)
        for operation in self.waiting[:last + 1]:
            self._rename(self.names, *operation)
        del self.waiting[:last + 1]

    def do_truncate(self, fields, _):
        self._file(fields[1]).truncate(int(fields[0]))

    def do_create(self, fields, _):
        self._named("create", [fields[1]], File())

    def do_mkdir(self, fields, _):
        self._named("create", [fields[1]], None)

    def do_unlink(self, fields, _):
        self._named("unlink", [fields[1]], None)

    do_rmdir = do_unlink

    def do_rename(self, fields, _):
        self._named("rename", fields[1].split("\t"), None)

    def _file(self, path):
        if path not in self.now:  # made by a call that is not recorded
            self._named("create", [path], File())
        return self.now[path]

    def _named(self, what, paths, file):
        self._rename(self.now, what, paths, file)
        self.waiting.append((what, paths, file))

    @staticmethod
    def _rename(names, what, paths, file):
        if what == "create":
            names[paths[0]] = file
        elif what == "unlink":
            names.pop(paths[0], None)
        else:
            old, new = paths
            for path in [p for p in names if p == old or p.startswith(old + "/")]:
                names[new + path[len(old):]] = names.pop(path)

    # ---- what may be found ----

    def state(self, chance):
        """Paths and contents (None: a folder; a number: so many bytes of anything) of one state."""
        names = dict(self.names)
        for operation in self.waiting[:chance.randint(0, len(self.waiting))]:
            self._rename(names, *operation)
        for path, file in self.now.items():
            if path.startswith(self.far):
                names[path] = file
        return {path: self._content(path, file, chance) for path, file in names.items()}

    def _content(self, path, file, chance):
        if file is None:
            return None
        if path.startswith(self.far):
            return bytes(file.whole())
        if os.path.basename(path) == "ballast":
            return chance.choice((0, file.reach // 2, file.reach))
        return bytes(file.after_cut(chance))


def read_trace(path):
    """Its operations: what, fields, data."""
    with open(path, "rb") as f:
        while True:
            line = f.readline()
            if not line.endswith(b"\n"):
                return
            what, _, rest = line[:-1].decode().partition(" ")
            fields = rest.split(" ", 3 if what == "data" else 1)
            yield what, fields, f.read(int(fields[1])) if what == "data" else b""


def write_state(folder, base, state):
    """A state, with its paths moved from `base` to `folder`. What is long and empty stays a hole."""
    for path in sorted(state):
        target = folder + path[len(base):]
        if state[path] is None:
            os.makedirs(target, exist_ok=True)
            continue
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as f:
            if isinstance(state[path], int):
                f.truncate(state[path])
            else:
                f.write(state[path])


def states(disk, trace, count, chance):
    """`count` states, at points spread over the trace by chance. `disk` is as it was before."""
    operations = list(read_trace(trace))
    at = sorted(chance.randint(1, len(operations)) for _ in range(count))
    done = 0
    for cut in at:
        while done < cut:
            disk.apply(*operations[done])
            done += 1
        yield cut, operations[cut - 1][0], disk.state(chance)
