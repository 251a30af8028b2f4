#!/usr/bin/env python3
"""Draw the pictures of the README: img/*.svg, from nothing but this file.

Every picture is a card with a background of its own, so that it reads the same on a light and on a
dark page. One colour means one thing in all of them: in use, free, top, the heap's own words.
"""
import html
import os
import sys

SANS = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
MONO = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"

INK, MUTED, CARD, EDGE = "#1f2430", "#667085", "#fcfbf7", "#d9d4c7"

# fill, edge, text
INUSE = ("#cfe1f8", "#3f73b7", "#1d4273")
FREE = ("#d2eed7", "#3c9257", "#1c5a31")
TOP = ("#fde7b3", "#c28a17", "#6f4b04")
META = ("#e4daf5", "#7d5bb5", "#482c7a")
NONE = ("#f1efe8", "#b9b3a4", "#7a7467")


class Drawing:
    def __init__(self, name, width, height, title, caption):
        self.name, self.width, self.height, self.title = name, width, height, title
        self.parts = [
            f'<rect x="1" y="1" width="{width - 2}" height="{height - 2}" rx="14" '
            f'fill="{CARD}" stroke="{EDGE}" stroke-width="1.5"/>'
        ]
        self.text(32, 46, title, size=21, weight="bold")
        self.text(32, 70, caption, size=14.5, fill=MUTED)

    def add(self, part):
        self.parts.append(part)

    def text(self, x, y, s, size=14.5, fill=INK, anchor="start", mono=False, weight="normal"):
        self.add(
            f'<text x="{x}" y="{y}" font-family="{MONO if mono else SANS}" font-size="{size}" '
            f'font-weight="{weight}" fill="{fill}" text-anchor="{anchor}" xml:space="preserve">'
            f"{html.escape(s, quote=False)}</text>"
        )

    def box(self, x, y, w, h, kind, label="", mono=False, size=14.5, weight="normal", radius=0):
        fill, edge, ink = kind
        self.add(
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" rx="{radius}" fill="{fill}" '
            f'stroke="{edge}" stroke-width="1.5"/>'
        )
        if label:
            self.text(x + w / 2, y + h / 2 + size * 0.35, label, size, ink, "middle", mono, weight)

    def hatch(self, x, y, w, h, edge):
        self.add(
            f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="url(#hatch)" '
            f'stroke="{edge}" stroke-width="1.5"/>'
        )

    def line(self, points, stroke=INK, width=1.5, dash=None, arrow=False):
        d = "M" + " L".join(f"{x} {y}" for x, y in points)
        self.path(d, stroke, width, dash, arrow)

    def path(self, d, stroke=INK, width=1.5, dash=None, arrow=False):
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        head = f' marker-end="url(#tip-{stroke[1:]})"' if arrow else ""
        self.add(f'<path d="{d}" fill="none" stroke="{stroke}" stroke-width="{width}"{dashes}{head}/>')

    def brace(self, x, top, bottom, side, lines, fill=MUTED):
        """A bracket from top to bottom on that side of x, -1 left and 1 right, and what it spans."""
        tick = x + 9 * side
        self.line([(x, top), (tick, top), (tick, bottom), (x, bottom)], fill)
        middle = (top + bottom) / 2
        self.line([(tick, middle), (tick + 7 * side, middle)], fill)
        first = middle - (len(lines) - 1) * 9 + 5
        for i, s in enumerate(lines):
            self.text(tick + 13 * side, first + 18 * i, s, 14, fill,
                      "start" if side > 0 else "end", weight="bold" if i == 0 else "normal")

    def pointer(self, x, y, label, length=46):
        """An arrow from the left to the edge at x, y, and its name."""
        self.line([(x - length, y), (x - 4, y)], INK, 1.8, arrow=True)
        self.text(x - length - 8, y + 5, label, 14, INK, "end", mono=True)

    def legend(self, x, y, entries):
        for kind, label in entries:
            self.box(x, y - 11, 15, 15, kind, radius=3)
            self.text(x + 22, y + 1.5, label, 13.5, MUTED)
            x += 22 + 6.6 * len(label) + 30

    def save(self, folder):
        tips = "".join(
            f'<marker id="tip-{c[1:]}" viewBox="0 0 10 10" refX="8.5" refY="5" markerWidth="7.5" '
            f'markerHeight="7.5" orient="auto-start-reverse"><path d="M0 0.8 L10 5 L0 9.2 z" fill="{c}"/></marker>'
            for c in (INK, MUTED, INUSE[1], FREE[1], TOP[1], META[1])
        )
        hatch = (
            '<pattern id="hatch" width="9" height="9" patternUnits="userSpaceOnUse" '
            f'patternTransform="rotate(45)"><rect width="9" height="9" fill="{NONE[0]}"/>'
            '<line x1="0" y1="0" x2="0" y2="9" stroke="#dcd7ca" stroke-width="3"/></pattern>'
        )
        path = os.path.join(folder, self.name + ".svg")
        with open(path, "w", encoding="utf-8") as out:
            out.write(
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
                f'viewBox="0 0 {self.width} {self.height}" role="img">\n'
                f"<title>{html.escape(self.title)}</title>\n<defs>{tips}{hatch}</defs>\n"
            )
            out.write("\n".join(self.parts))
            out.write("\n</svg>\n")
        return path


# --- chunks, drawn word by word ---

ROW, X, W, FLAG = 44, 262, 300, 34


def word(d, row, kind, label, note=(), note_ink=MUTED, mono=False):
    """One word of memory in a row of the column, with a note to its right."""
    y = top_of(row)
    d.box(X, y, W, ROW, kind, label, mono=mono, size=15)
    notes(d, row, note, note_ink)


def notes(d, row, note, ink=MUTED, x=X + W + 22):
    first = top_of(row) + ROW / 2 + 5 - (len(note) - 1) * 9
    for i, s in enumerate(note):
        d.text(x, first + 18 * i, s, 14, ink)


def top_of(row):
    return 112 + ROW * row


def size_word(d, row, flags, strong=None, label="size"):
    """The size word: the size and, in cells of their own, the three flags."""
    y, cells = top_of(row), W - 3 * FLAG
    d.box(X, y, cells, ROW, META, label, size=15, weight="bold")
    for i, s in enumerate(flags):
        kind = strong[1] if strong and strong[0] == i else META
        d.box(X + cells + i * FLAG, y, FLAG, ROW, kind, s, mono=True, size=13.5,
              weight="bold" if strong and strong[0] == i else "normal")


def column_goes_on(d, row):
    for x in (X, X + W):
        d.line([(x, top_of(row)), (x, top_of(row) + 15)], META[1], dash="3 4")


def chunk_begins(d, row, name):
    """The border between two chunks, and the pointer to it."""
    d.line([(X - 8, top_of(row)), (X + W + 8, top_of(row))], INK, 2.6)
    d.pointer(X - 10, top_of(row), name)


def chunk_in_use():
    d = Drawing("chunk-in-use", 940, 462, "A chunk in use",
                "p = malloc(24): a header of two words, of which only the size costs the program memory")
    word(d, 0, NONE, "prev_size", ("not valid: the chunk before is in use,", "and these are the last bytes of its data"))
    size_word(d, 1, ("A", "M", "P=1"), (2, INUSE))
    x, y = X + W + 22, top_of(1) + 26
    d.text(x, y, "the chunk's size, and in its low bits three flags:", 14, META[2])
    for flag, s in (("P", "the previous chunk is in use"), ("M", "the chunk is one mmap of its own"),
                    ("A", "the chunk lies in an allocated heap")):
        y += 20
        d.text(x, y, flag, 13.5, META[2], mono=True, weight="bold")
        d.text(x + 20, y, s, 14, META[2])
    word(d, 2, INUSE, "p[0]  ...  p[7]", mono=True)
    word(d, 3, INUSE, "p[8]  ...  p[15]", mono=True)
    word(d, 4, INUSE, "p[16]  ...  p[23]", ("also the next chunk's prev_size: nobody reads",
                                          "that while this chunk is in use, so p may have it"), INUSE[2], True)
    size_word(d, 5, ("A", "M", "P=1"), (2, INUSE))
    notes(d, 5, ("P=1: the chunk before this one is in use",), META[2])
    column_goes_on(d, 6)
    chunk_begins(d, 0, "chunk")
    d.pointer(X - 10, top_of(2), "p")
    chunk_begins(d, 4, "next chunk")
    d.brace(X - 112, top_of(0) + 14, top_of(4) - 14, -1, ("32 bytes", "the chunk"))
    d.legend(32, 436, ((INUSE, "in use"), (META, "the heap's own words"), (NONE, "the previous chunk's")))
    return d


def chunk_free():
    d = Drawing("chunk-free", 940, 512, "A free chunk",
                "the same header; where the data was, the heap keeps two links and, in the last word, the size once more")
    word(d, 0, NONE, "prev_size", ("not valid: the chunk before is in use. It always", "is, since two free neighbours merge"))
    size_word(d, 1, ("A", "0", "P=1"), (2, INUSE))
    notes(d, 1, ("as it was in use",), META[2])
    word(d, 2, META, "fd", ("the next free chunk in the same bin",), META[2])
    word(d, 3, META, "bk", ("the one before it in that bin",), META[2])
    d.box(X, top_of(4), W, ROW + 10, FREE, "unused", size=15)
    d.add('<g transform="translate(0 10)">')
    word(d, 5, META, "size", ("the footer: the size once more, without flags.", "It is the next chunk's prev_size"), META[2])
    size_word(d, 6, ("A", "0", "P=0"), (2, FREE))
    notes(d, 6, ("P=0: the chunk before this one is free, so", "prev_size is valid and leads to its start"), FREE[2])
    column_goes_on(d, 7)
    chunk_begins(d, 5, "next chunk")
    d.add("</g>")
    chunk_begins(d, 0, "chunk")
    a, b = top_of(5) - 12, top_of(0) + 16
    d.path(f"M{X - 20} {a} C{X - 110} {a - 40} {X - 110} {b + 60} {X - 20} {b}", FREE[1], 2, arrow=True)
    d.text(X - 104, (a + b) / 2 - 4, "next - prev_size", 13, FREE[2], "end", mono=True)
    d.text(X - 104, (a + b) / 2 + 15, "is this chunk", 14, FREE[2], "end")
    d.legend(32, 486, ((FREE, "free"), (META, "the heap's own words"), (NONE, "the previous chunk's")))
    return d


# --- heaps ---

def strip(d, x, y, h, cells):
    """Cells side by side; returns where each begins."""
    starts = []
    for width, kind, label in cells:
        starts.append(x)
        if kind is NONE:
            d.hatch(x, y, width, h, NONE[1])
            if label:
                d.text(x + width / 2, y + h / 2 + 5, label, 14, NONE[2], "middle")
        else:
            d.box(x, y, width, h, kind, label, size=14)
        x += width
    return starts


def heap_of():
    d = Drawing("heap-of", 940, 532, "From a chunk to its heap, and to its arena",
                "an allocated heap begins at a multiple of HEAP_MAX_SIZE, 64 MiB: one AND leads there from any chunk in it")
    y, h = 176, 62
    cells = ((112, META, "heap_info"), (104, META, "arena"), (74, INUSE, ""), (52, FREE, ""), (96, INUSE, "chunk"),
             (40, INUSE, ""), (64, FREE, ""), (50, INUSE, ""), (132, TOP, "top"), (152, NONE, "reserved"))
    s = strip(d, 32, y, h, cells)
    info, chunk, end = s[0], s[4], y + h
    d.add(f'<rect x="{chunk}" y="{y}" width="96" height="{h}" fill="none" stroke="{INUSE[2]}" stroke-width="3"/>')

    d.path(f"M{chunk + 48} {y - 6} C{chunk + 20} {y - 60} {info + 110} {y - 60} {info + 62} {y - 8}",
           INUSE[1], 2.2, arrow=True)
    d.text((chunk + info) / 2 + 54, y - 57, "heap_of(chunk)", 14, INUSE[2], "middle", True, "bold")
    d.path(f"M{info + 40} {end + 6} C{info + 50} {end + 44} {s[1] + 30} {end + 44} {s[1] + 44} {end + 8}",
           META[1], 2.2, arrow=True)
    d.text(s[1] + 62, end + 36, "heap_info->arena", 14, META[2], mono=True, weight="bold")
    for x, label, anchor in ((s[9], "usable so far", "middle"), (908, "64 MiB", "end")):
        d.line([(x, end), (x, end + 14)], MUTED)
        d.text(x, end + 32, label, 13.5, MUTED, anchor)

    # The arithmetic, one digit below the other.
    left, base, step, size = 250, 344, 36, 21
    rows = (("chunk", "  0x00007f3ad4a31c50", INUSE[2], "bold"),
            ("~(HEAP_MAX_SIZE - 1)", "& 0xfffffffffc000000", MUTED, "normal"),
            ("heap_info", "= 0x00007f3ad4000000", META[2], "bold"))
    d.add(f'<rect x="32" y="{base - 42}" width="876" height="136" rx="10" fill="#f4f1e8"/>')
    for i, (label, digits, ink, weight) in enumerate(rows):
        d.text(left + 20, base + step * i, label, 15, ink, "end", i == 1, weight)
        d.text(left + 46, base + step * i, digits, size, ink, mono=True, weight=weight)
    d.line([(left + 46, base + step + 12), (left + 46 + 20 * 12.65, base + step + 12)], MUTED)
    d.text(606, base, "its A flag is set, so it is in an allocated heap", 14, INUSE[2])
    d.text(606, base + step, "the low 26 bits go", 14, MUTED)
    d.text(606, base + 2 * step, "nothing was searched, and no lock taken", 14, META[2])
    d.text(32, 470, "A clear: the chunk lies in the application's own heap, at the break. Its arena is the main arena.")
    d.legend(32, 506, ((INUSE, "in use"), (FREE, "free"), (TOP, "top"), (META, "the heap's own words"),
                       (NONE, "address space without memory")))
    return d


def pill(d, x, y, w, label, sub):
    d.box(x, y, w, 58, ("#ffffff", "#8a94a6", INK), radius=12)
    d.text(x + w / 2, y + 25, label, 15, INK, "middle", weight="bold")
    d.text(x + w / 2, y + 45, sub, 13, MUTED, "middle")


def arena(d, x, y, w, label, lines):
    d.box(x, y, w, 84, META, radius=10)
    d.text(x + w / 2, y + 27, label, 15.5, META[2], "middle", weight="bold")
    for i, s in enumerate(lines):
        d.text(x + w / 2, y + 49 + 19 * i, s, 13.5, META[2], "middle")


def heaps_and_arenas():
    d = Drawing("heaps-and-arenas", 940, 650, "Threads, arenas, heaps",
                "a thread is served from its cache, the cache from an arena, the arena from its heaps")
    for x, label in ((60, "thread 1"), (250, "thread 2"), (560, "thread 3"), (750, "thread 4")):
        pill(d, x, 96, 130, label, "thread cache")
    arena(d, 110, 222, 270, "main arena", ("lock, bins, top", "a static variable"))
    arena(d, 610, 222, 270, "arena 1", ("lock, bins, top", "lies in its own first heap"))
    for x, to in ((125, 190), (315, 300), (640, 690), (815, 800)):
        d.line([(x, 156), (to, 218)], INK, 1.6, arrow=True)
    d.path("M592 157 C572 222 490 258 386 262", MUTED, 1.6, "5 5", arrow=True)
    d.text(470, 182, "a chunk that another", 13, MUTED, "middle")
    d.text(470, 199, "arena's thread frees", 13, MUTED, "middle")
    d.text(470, 216, "goes home", 13, MUTED, "middle")

    h, y = 46, 386
    z = y + 94
    d.text(32, y - 14, "the application's own heap", weight="bold")
    d.text(416, y - 14, "A clear", 13.5, MUTED, "end", mono=True)
    strip(d, 32, y, h, ((46, META, "info"), (56, INUSE, ""), (38, FREE, ""), (62, INUSE, ""), (56, FREE, ""),
                        (44, INUSE, ""), (82, TOP, "top")))
    d.line([(422, y + h / 2), (454, y + h / 2)], TOP[1], 2.2, arrow=True)
    d.text(437, y + h / 2 - 11, "brk", 13, TOP[2], "middle", mono=True)
    d.line([(245, 306), (245, y - 34)], META[1], 1.8, arrow=True)

    d.text(496, y - 14, "allocated heaps, at multiples of 64 MiB", weight="bold")
    d.text(908, y - 14, "A set", 13.5, MUTED, "end", mono=True)
    strip(d, 496, y, h, ((46, META, "info"), (52, META, "arena"), (66, INUSE, ""), (46, FREE, ""), (90, INUSE, ""),
                         (52, FREE, ""), (46, INUSE, ""), (14, META, "")))
    d.line([(901, y + h + 2), (901, y + h + 9)], META[1])
    d.text(908, y + h + 23, "fencepost", 13, META[2], "end")
    d.line([(745, 306), (745, y - 34)], META[1], 1.8, arrow=True)
    strip(d, 496, z, h, ((46, META, "info"), (74, INUSE, ""), (52, INUSE, ""), (34, FREE, ""), (62, INUSE, ""),
                         (76, TOP, "top"), (68, NONE, "")))
    d.line([(519, y + h + 3), (519, z - 4)], META[1], 1.8, arrow=True)
    d.text(530, y + h + 29, "newer", 13, META[2])

    d.text(32, z - 14, "mmapped chunks, in no heap", weight="bold")
    d.text(416, z - 14, "M set", 13.5, MUTED, "end", mono=True)
    for x, w in ((32, 150), (196, 90), (300, 116)):
        d.box(x, z, 22, h, META)
        d.box(x + 22, z, w - 22, h, INUSE)
    d.path(f"M108 264 H32 Q16 264 16 280 V{z + h / 2 - 14} Q16 {z + h / 2} 27 {z + h / 2}", META[1], 1.6, "5 5", arrow=True)

    d.line([(32, 562), (908, 562)], EDGE, 1.5)
    d.text(32, 591, "A thread takes an arena that nobody uses, else a new one, else the one with the fewest threads.")
    d.legend(32, 623, ((INUSE, "in use"), (FREE, "free"), (TOP, "top"), (META, "the heap's own words"),
                       (NONE, "address space without memory")))
    return d


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
    for draw in (chunk_in_use, chunk_free, heap_of, heaps_and_arenas):
        print(draw().save(folder))


if __name__ == "__main__":
    main()
