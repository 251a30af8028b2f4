# img.mk - the drawings of the README, made again: SVG by img/draw.py, PNG from that by librsvg;
# heap-map.svg, a real heap, by img/map.sh.
#
# Both are kept in the repository, so that nobody needs python3 or rsvg-convert to read the README.

img: libcmalloc.so build/cmalloc
	@command -v python3 >/dev/null && command -v rsvg-convert >/dev/null || \
	    { echo 'make img needs python3 and rsvg-convert; run: apt-get install python3 librsvg2-bin' >&2; exit 1; }
	$(Q)python3 img/draw.py
	$(Q)img/map.sh
	$(Q)for svg in img/chunk-*.svg img/heap-of.svg img/heaps-and-arenas.svg; do rsvg-convert -z 2 "$$svg" -o "$${svg%.svg}.png" || exit 1; done
