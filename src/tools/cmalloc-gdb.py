# cmalloc-gdb.py - cmalloc's heap in gdb: a printer for chunks, cm-heap, cm-find ADDRESS.
#
# gdb loads it together with the library (see libcmalloc(7)), for a live process and for a
# core alike. It needs the library's debug information, and reads memory only: it calls no
# function of the program, so that it may be used wherever the program stands, in the
# middle of malloc too. A heap is read at once and walked here; what is found there is what
# src/inspect/walk.c finds.
import struct

import gdb

WORD = gdb.lookup_type('unsigned long').sizeof
HEADER = 2 * WORD
LEAST = 4 * WORD  # bytes of the smallest chunk that is not a fencepost
P, M, A = 1, 2, 4
SEALED = 4  # of a root's variant: size words have a seal in the bits above an address's
ADDRESS_BITS = 48


# ---- the words ----

def value(expression):
    return gdb.parse_and_eval(expression)


def number(v):
    return int(v.cast(gdb.lookup_type('unsigned long')))


def read(address, size):
    return gdb.selected_inferior().read_memory(address, size).tobytes()


# Bits of a size word that are not its seal.
def word_mask():
    if int(value('cmalloc_root.variant')) & SEALED:
        return (1 << ADDRESS_BITS) - 1
    return (1 << 8 * WORD) - 1


def flags_text(word):
    return ''.join(c if word & bit else '-' for c, bit in (('A', A), ('M', M), ('P', P)))


class Chunk:
    def __init__(self, address, word, prev_size, kind):
        self.address, self.word, self.prev_size, self.kind = address, word, prev_size, kind
        self.size = word & ~7
        self.mem = address + HEADER

    def line(self, label=''):
        text = '  %-7s %#x  %10d bytes  %s  %s' % (
            label, self.mem, self.size, flags_text(self.word), self.kind)
        if not self.word & P and not self.word & M:
            text += ', prev_size %d' % self.prev_size
        return text


# ---- walking ----

class Damage(Exception):
    pass


class Heap:
    """One heap_info and the chunks behind it."""

    def __init__(self, info, top, key):
        self.address = number(info)
        self.committed = number(info['committed'])
        self.reserved = number(info['reserved']) or self.committed
        self.first = number(info['first'])
        self.top, self.key = top, key

    def has(self, address):
        return self.address <= address < self.address + self.committed

    def chunks(self):
        data = read(self.address, self.committed)
        form = struct.Struct('<Q' if WORD == 8 else '<I')
        word = lambda at: form.unpack_from(data, at)[0]
        mask, at, end = word_mask(), self.first - self.address, self.committed
        while at + HEADER <= end:
            head = word(at + WORD) & mask
            size = head & ~7
            if self.address + at == self.top:
                yield Chunk(self.top, head, word(at), 'top')
                return
            if size == HEADER and end - at < LEAST + HEADER:
                yield Chunk(self.address + at, head, word(at), 'fencepost')
                return
            if size < LEAST or size % 16 or at + size + HEADER > end:
                raise Damage('%#x: invalid size' % (self.address + at + HEADER))
            kind = 'in use'
            if not word(at + size + WORD) & P:
                kind = 'free'
            elif word(at + HEADER + WORD) == self.key:
                kind = 'cached'
            yield Chunk(self.address + at, head, word(at), kind)
            at += size


class Arena:
    def __init__(self, arena, key):
        self.index = int(arena['index'])
        self.busy = int(value('*(unsigned *)%d' % number(arena['lock'].address))) != 0
        self.heaps, self.larges = [], []
        top, info = number(arena['top']), arena['newest']
        while number(info) != 0:
            self.heaps.append(Heap(info, top, key))
            info = info['older']
        self.heaps.sort(key=lambda heap: heap.address)
        info = arena['larges']
        while number(info) != 0:
            self.larges.append(large_chunk(info, 'mapped'))
            info = info['older']


def large_chunk(info, kind):
    address = number(info) + number(info['offset'])
    prev_size, word = struct.unpack('<QQ' if WORD == 8 else '<II', read(address, HEADER))
    return Chunk(address, word & word_mask(), prev_size, kind)


def arenas():
    try:
        table, key = value('arena_table'), number(value('link_secret.key'))
    except gdb.error:
        raise gdb.GdbError('cmalloc: not in this program, or without debug information')
    for i in range(int(table['count'])):
        pointer = gdb.lookup_type('arena_t').pointer()
        yield Arena(value('arena_table.arenas[%d]' % i).cast(pointer).dereference(), key)


# ---- the commands ----

class HeapCommand(gdb.Command):
    """Arenas and heaps of cmalloc, and what is in them. Usage: cm-heap"""

    KINDS = ('in use', 'cached', 'free', 'top')

    def __init__(self):
        super().__init__('cm-heap', gdb.COMMAND_DATA)

    def sum_heap(self, heap, total):
        sums = dict.fromkeys(self.KINDS, 0)
        try:
            for chunk in heap.chunks():
                if chunk.kind in sums:
                    sums[chunk.kind] += chunk.size
                    total[chunk.kind][0] += 1
                    total[chunk.kind][1] += chunk.size
        except Damage as damage:
            print('  damaged: %s' % damage)
        except gdb.MemoryError:
            print('  heap %#x: cannot be read' % heap.address)
        print('  heap %#x  %d of %d bytes: %s' % (
            heap.address, heap.committed, heap.reserved,
            ', '.join('%d %s' % (sums[k], k) for k in self.KINDS)))

    def invoke(self, argument, from_tty):
        if argument:
            raise gdb.GdbError('Usage: cm-heap')
        total = {kind: [0, 0] for kind in self.KINDS + ('mapped',)}
        for arena in arenas():
            print('arena %d%s' % (arena.index, ', being changed' if arena.busy else ''))
            for heap in arena.heaps:
                self.sum_heap(heap, total)
            for chunk in arena.larges:
                print('  mapped %#x  %d bytes' % (chunk.mem, chunk.size))
                total['mapped'][0] += 1
                total['mapped'][1] += chunk.size
        for kind, (count, size) in total.items():
            print('%-8s %10d chunks  %15d bytes' % (kind, count, size))


class FindCommand(gdb.Command):
    """The chunk of cmalloc that an address lies in, and its neighbours.
Usage: cm-find ADDRESS"""

    def __init__(self):
        super().__init__('cm-find', gdb.COMMAND_DATA, gdb.COMPLETE_EXPRESSION)

    # A chunk owns the next one's prev_size and not its own.
    @staticmethod
    def holds(chunk, address):
        return chunk.address + WORD <= address < chunk.address + WORD + chunk.size

    def find_in_heap(self, heap, address):
        before = found = None
        for chunk in heap.chunks():
            if found:
                return before, found, chunk
            if self.holds(chunk, address):
                found = chunk
            else:
                before = chunk
        return before, found, None

    def show(self, address, arena, heap, chunks):
        before, chunk, after = chunks
        offset = address - chunk.mem
        place = 'byte %d' % offset if offset >= 0 else 'in the header'
        where = ', heap %#x' % heap.address if heap else ''
        print('%#x: %s, %s; arena %d%s' % (address, chunk.kind, place, arena.index, where))
        for label, c in (('before', before), ('chunk', chunk), ('after', after)):
            if c:
                print(c.line(label))

    def invoke(self, argument, from_tty):
        if not argument:
            raise gdb.GdbError('Usage: cm-find ADDRESS')
        address = number(value(argument))
        for arena in arenas():
            for heap in arena.heaps:
                if not heap.has(address):
                    continue
                try:
                    chunks = self.find_in_heap(heap, address)
                except Damage as damage:
                    raise gdb.GdbError('damaged: %s' % damage)
                if chunks[1]:
                    self.show(address, arena, heap, chunks)
                    return
            for chunk in arena.larges:
                if self.holds(chunk, address):
                    self.show(address, arena, None, (None, chunk, None))
                    return
        print('%#x: in no chunk' % address)


# ---- the printer ----

class ChunkPrinter:
    """chunk_t: what the header says."""

    def __init__(self, chunk):
        self.chunk = chunk

    def to_string(self):
        word = number(self.chunk['size_flags']) & word_mask()
        return 'chunk of %d bytes, %s' % (word & ~7, flags_text(word))

    def children(self):
        address = number(self.chunk.address)
        word = number(self.chunk['size_flags']) & word_mask()
        yield 'mem', gdb.Value(address + HEADER).cast(gdb.lookup_type('void').pointer())
        if not word & P or word & M:
            yield 'prev_size', self.chunk['prev_size']
        if not word & M:
            kind = gdb.lookup_type('chunk_t').pointer()
            yield 'next', gdb.Value(address + (word & ~7)).cast(kind)


def printer(v):
    kind = v.type.strip_typedefs().unqualified()
    if kind.code == gdb.TYPE_CODE_STRUCT and kind.tag == 'malloc_chunk':
        return ChunkPrinter(v)
    return None


HeapCommand()
FindCommand()
where = gdb.current_objfile()
(where if where else gdb).pretty_printers.append(printer)
