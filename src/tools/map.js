// map.js - the part of the page that one can look into: zoom, hover, find.
//
// Heaps are strips that wrap like lines of text; a pixel column is a bar of its bytes by
// state. Only the rows in sight are drawn, from the records of map_pack.c, so that the
// time does not depend on how large the heap is.
'use strict';
(() => {
const data = JSON.parse(document.getElementById('data').textContent);
const byId = id => document.getElementById(id);
const view = byId('view'), canvas = byId('canvas'), space = byId('space'), tip = byId('tip');
const STATES = 7, MIXED = 7, UNIT = 8;
const ROW = 18, STEP = 25, CAPTION = 40, MARGIN = 16;
const HEIGHT_MOST = 8e6;              // of a page that browsers still scroll
const LEAST = 0.5;                    // bytes a pixel: a header is 32 pixels wide

// ---- records ----

const bytesOf = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));

function reader(bytes) {
  let at = 0;
  const byte = () => bytes[at++];
  const number = () => {
    let n = 0, factor = 1, b;
    do { b = bytes[at++]; n += (b & 127) * factor; factor *= 128; } while (b & 128);
    return n;
  };
  return { byte, number, more: () => at < bytes.length };
}

function readShares(r, shares) {
  const has = r.byte(), states = [];
  for (let s = 0; s < STATES; s++) if (has >> s & 1) states.push(s);
  let rest = 255;
  states.forEach((s, i) => {
    const share = i + 1 < states.length ? r.byte() : rest;
    rest -= share;
    shares[s] = Math.max(0, share) / 255;
  });
}

// Offsets in the strip ascend; addresses may have gaps. One array for each property.
function decode(strip) {
  const r = reader(bytesOf(strip.records)), list = [];
  let offset = 0, address = Number(strip.at);
  while (r.more()) {
    const head = r.byte(), state = head & 7;
    if (head & 128) address += r.number() * UNIT;
    const size = r.number() * UNIT;
    const item = { offset, address, size, state, flags: head >> 3 & 7, count: 0,
      goesOn: (head & 64) !== 0, prev: 0, shares: null };
    if (state === MIXED) {
      item.count = r.number();
      item.shares = new Float32Array(STATES);
      readShares(r, item.shares);
    } else if (!(head & 8)) {
      item.prev = r.number() * UNIT;
    }
    list.push(item);
    offset += size;
    address += size;
  }
  return list;
}

function decodePages(text) {
  const r = reader(bytesOf(text)), ends = [];
  let end = 0;
  while (r.more()) ends.push(end += r.number() * data.page);
  return ends;                        // runs in memory, not, in memory, ...
}

const strips = data.strips.map(s => ({ ...s, list: decode(s), ends: decodePages(s.pages) }));
const total = strips.reduce((n, s) => n + s.size, 0);
const records = strips.reduce((n, s) => n + s.list.length, 0);

// The record that offset lies in.
function indexAt(list, offset) {
  let low = 0, high = list.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (list[middle].offset <= offset) low = middle; else high = middle - 1;
  }
  return low;
}

// ---- words ----

function sizeText(n) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let u = 0;
  while (n >= 999.5 && u < 4) { n /= 1024; u++; }
  return n.toFixed(u === 0 || n >= 99.95 ? 0 : n >= 9.995 ? 1 : 2) + ' ' + units[u];
}
const digits = n => n.toLocaleString('en');
const hex = n => '0x' + n.toString(16);

// ---- colours ----

let colours, inks, labels;

// Black or white, whichever reads better on a colour.
function labelOn(colour) {
  const [r, g, b] = [1, 3, 5].map(i => parseInt(colour.slice(i, i + 2), 16));
  return 0.3 * r + 0.59 * g + 0.11 * b > 130 ? '#10161f' : '#f4f7fb';
}

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const get = name => style.getPropertyValue(name).trim();
  colours = [0, 1, 2, 3, 4, 5, 6].map(i => get('--s' + i));
  labels = colours.map(labelOn);
  inks = { ink: get('--ink'), dim: get('--dim'), card: get('--card'), page: get('--page') };
}

// ---- layout ----

let zoom = 0, scale = 1, width = 0, height = 0, most = 0;
const only = new Set();
let showPages = true, hovered = null, pinned = null;

const rowsOf = s => Math.max(1, Math.ceil(s.size / (scale * width)));
function heightAt(bytes) {
  return strips.reduce((h, s) =>
    h + CAPTION + Math.max(1, Math.ceil(s.size / (bytes * width))) * STEP, MARGIN);
}

// The scale at which everything is in sight, or, of many heaps, each has a few rows; and
// how often it may be halved.
let whole = 1;
function limits() {
  const enough = Math.max(view.clientHeight, 420, strips.length * (CAPTION + 3 * STEP));
  whole = LEAST;
  while (heightAt(whole) > enough && whole < total / width) whole *= 2;
  most = 0;
  while (whole / 2 ** (most + 1) >= LEAST && heightAt(whole / 2 ** (most + 1)) < HEIGHT_MOST)
    most++;
}

function layout() {
  scale = whole / 2 ** zoom;
  let y = 0;
  for (const s of strips) {
    s.y = y + CAPTION;
    y = s.y + rowsOf(s) * STEP;
  }
  space.style.height = Math.max(0, y + MARGIN - height) + 'px';
  const wide = scale >= 1 ? sizeText(scale) + ' a pixel' : 1 / scale + ' pixels a byte';
  byId('scale').textContent = wide + ', ' + sizeText(scale * width) + ' a row';
  byId('zoom').max = most;
  byId('zoom').value = zoom;
}

function resize() {
  width = Math.max(200, Math.floor(view.clientWidth - 2 * MARGIN));
  height = view.clientHeight;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = view.clientWidth * ratio;
  canvas.height = height * ratio;
  canvas.style.width = view.clientWidth + 'px';
  canvas.style.height = height + 'px';
  canvas.getContext('2d').setTransform(ratio, 0, 0, ratio, 0, 0);
  limits();
  zoom = Math.min(zoom, most);
  layout();
  draw();
}

// ---- drawing ----

// Bytes by state of each pixel column of a row that begins at offset from.
function columnsOf(s, from, to) {
  const count = Math.ceil((to - from) / scale), cells = new Float32Array(count * STATES);
  for (let i = indexAt(s.list, from); i < s.list.length && s.list[i].offset < to; i++) {
    const r = s.list[i];
    const start = Math.max(r.offset, from) - from, end = Math.min(r.offset + r.size, to) - from;
    for (let x = Math.floor(start / scale); x < count && x * scale < end; x++) {
      const part = Math.min(end, (x + 1) * scale) - Math.max(start, x * scale);
      if (r.shares)
        for (let k = 0; k < STATES; k++) cells[x * STATES + k] += part * r.shares[k];
      else
        cells[x * STATES + r.state] += part;
    }
  }
  return cells;
}

const same = (cells, a, b) => {
  for (let k = 0; k < STATES; k++)
    if (Math.abs(cells[a * STATES + k] - cells[b * STATES + k]) > scale * 0.01) return false;
  return true;
};

function drawBars(g, cells, y) {
  const count = cells.length / STATES;
  for (let x = 0, end; x < count; x = end) {
    for (end = x + 1; end < count && same(cells, x, end);) end++;
    let sum = 0, bottom = y + ROW;
    for (let k = 0; k < STATES; k++) sum += cells[x * STATES + k];
    for (let k = 0; k < STATES && sum > 0; k++) {
      const h = ROW * cells[x * STATES + k] / Math.max(sum, scale * 0.999);
      if (h <= 0) continue;
      g.globalAlpha = only.size && !only.has(k) ? 0.12 : 1;
      g.fillStyle = colours[k];
      g.fillRect(MARGIN + x, bottom - h, end - x, h);
      bottom -= h;
    }
  }
  g.globalAlpha = 1;
}

// Borders, headers and sizes of chunks that are large enough to have them.
function drawChunks(g, s, from, to, y) {
  for (let i = indexAt(s.list, from); i < s.list.length && s.list[i].offset < to; i++) {
    const r = s.list[i], w = r.size / scale;
    if (w < 4 || r.shares) continue;
    const x = MARGIN + (r.offset - from) / scale;
    if (!r.goesOn && r.offset > from) {
      g.fillStyle = inks.card;
      g.fillRect(x - 0.5, y, 1, ROW);
    }
    if (data.diff || r.state >= 5) continue;
    if (16 / scale >= 3 && !r.goesOn && r.offset >= from) {
      g.fillStyle = 'rgba(0,0,0,.28)';
      g.fillRect(x + 0.5 + 8 / scale, y, 8 / scale, ROW);
    }
    const left = Math.max(x, MARGIN), right = Math.min(x + w, MARGIN + (to - from) / scale);
    const label = right - left > 110 ? digits(r.size) + ' bytes' : digits(r.size);
    if (right - left < 14 + 6.5 * label.length) continue;
    g.fillStyle = only.size && !only.has(r.state) ? inks.dim : labels[r.state];
    g.fillText(label, (left + right) / 2, y + ROW - 5);
  }
}

function drawPages(g, s, from, to, y) {
  let low = 0;
  for (let k = 0, begin = 0; k < s.ends.length; begin = s.ends[k++]) {
    if (begin >= to) break;
    if (k % 2 || s.ends[k] <= from) continue;
    low = Math.max(begin, from);
    const high = Math.min(s.ends[k], to);
    g.fillRect(MARGIN + (low - from) / scale, y + ROW + 1.5, (high - low) / scale, 2);
  }
}

// The chunk of the tip, framed in every row that it reaches into.
function drawFrame(g, at, top) {
  const { s, r } = at, row = scale * width;
  g.strokeStyle = inks.ink;
  g.lineWidth = 2;
  const first = Math.floor(r.offset / row), last = Math.floor((r.offset + r.size - 1) / row);
  for (let k = first; k <= last; k++) {
    const y = s.y + k * STEP - top;
    if (y < -STEP || y > height) continue;
    const x = Math.max(r.offset - k * row, 0) / scale;
    const end = Math.min(r.offset + r.size - k * row, row) / scale;
    g.strokeRect(MARGIN + x, y - 1, Math.max(2, end - x), ROW + 2);
  }
}

function draw() {
  const g = canvas.getContext('2d'), top = view.scrollTop, row = scale * width;
  g.fillStyle = inks.card;
  g.fillRect(0, 0, view.clientWidth, height);
  for (const s of strips) {
    const rows = rowsOf(s);
    if (s.y - CAPTION > top + height || s.y + rows * STEP < top) continue;
    g.font = '13px system-ui, "DejaVu Sans", sans-serif';
    g.textAlign = 'left';
    g.fillStyle = inks.ink;
    g.fillText(s.caption, MARGIN, s.y - 10 - top);
    const before = g.measureText(s.caption + '   ').width;
    g.fillStyle = inks.dim;
    if (!data.diff)
      g.fillText(sizeText(s.resident) + ' in memory, ' + digits(s.chunks) + ' chunks',
        MARGIN + before, s.y - 10 - top);
    g.font = '11px system-ui, "DejaVu Sans", sans-serif';
    g.textAlign = 'center';
    const first = Math.max(0, Math.floor((top - s.y) / STEP));
    const last = Math.min(rows - 1, Math.floor((top + height - s.y) / STEP));
    for (let k = first; k <= last; k++) {
      const from = k * row, to = Math.min(s.size, from + row), y = s.y + k * STEP - top;
      drawBars(g, columnsOf(s, from, to), y);
      drawChunks(g, s, from, to, y);
      g.fillStyle = inks.page;
      if (showPages) drawPages(g, s, from, to, y);
    }
  }
  const at = hovered || pinned;
  if (at) drawFrame(g, at, top);
}

let asked = false;
function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => { asked = false; draw(); });
}

// ---- the tip ----

// The whole chunk that a record is a piece of.
function wholeChunk(s, i) {
  let first = i, last = i;
  while (s.list[first].goesOn && first > 0) first--;
  while (last + 1 < s.list.length && s.list[last + 1].goesOn) last++;
  const r = s.list[first], end = s.list[last];
  let purged = 0;
  for (let k = first; k <= last; k++) if (s.list[k].state === 4) purged += s.list[k].size;
  const piece = s.list.slice(first, last + 1).find(x => x.state !== 4);
  return { ...r, size: end.offset + end.size - r.offset, purged,
    state: piece ? piece.state : r.state };
}

function hit(x, y) {
  const row = scale * width;
  for (const s of strips) {
    if (y < s.y || y >= s.y + rowsOf(s) * STEP) continue;
    const k = Math.floor((y - s.y) / STEP), offset = k * row + (x - MARGIN) * scale;
    if (x < MARGIN || x >= MARGIN + width || offset >= s.size || offset < 0) return null;
    const r = wholeChunk(s, indexAt(s.list, offset));
    return { s, r, offset };
  }
  return null;
}

const line = (name, value) => `<dt>${name}</dt><dd>${value}</dd>`;
const title = (state, text) => `<h3><i class="c${state}"></i>${text}</h3><dl>`;

function flagsText(flags) {
  const flag = (name, bit) => `<span class="flag${flags & bit ? ' set' : ''}">${name}</span>`;
  return flag('A', 4) + flag('M', 2) + flag('P', 1);
}

function chunkText(r) {
  const mapped = r.flags & 2, name = data.names[r.state];
  let text = title(r.state, name) + line('chunk', hex(r.address)) +
    line('mem', hex(r.address + 16)) + line('size', digits(r.size)) +
    line('flags', flagsText(r.flags)) +
    line('prev_size', mapped || !(r.flags & 1) ? digits(r.prev) : 'not valid');
  if (r.purged) text += line('not in memory', digits(r.purged));
  return text + '</dl>';
}

function runText(r) {
  const state = r.shares.indexOf(Math.max(...r.shares));
  let text = title(state, data.diff ? sizeText(r.size) : digits(r.count) + ' small chunks') +
    line('from', hex(r.address)) + line('to', hex(r.address + r.size));
  r.shares.forEach((share, k) => {
    if (share > 0) text += line(data.names[k], sizeText(share * r.size));
  });
  return text + '</dl>';
}

function tipText(at) {
  const r = at.r;
  if (r.shares) return runText(r);
  if (data.diff || r.state >= 5)
    return title(r.state, data.names[r.state]) + line('from', hex(r.address)) +
      line('size', digits(r.size)) + '</dl>';
  return chunkText(r);
}

function showTip(at, x, y) {
  tip.hidden = !at;
  if (!at) return;
  tip.innerHTML = tipText(at);
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(8, Math.min(x + 16, innerWidth - box.width - 12)) + 'px';
  tip.style.top = (y + 20 + box.height > innerHeight ? y - box.height - 14 : y + 20) + 'px';
}

// ---- moving ----

function setZoom(to, x = MARGIN + width / 2, y = height / 2) {
  to = Math.max(0, Math.min(most, to));
  if (to === zoom) return;
  const at = hit(x, y + view.scrollTop) || nearest(y + view.scrollTop);
  zoom = to;
  layout();
  if (at) scrollTo(at.s, at.offset, y);
  redraw();
}

function nearest(y) {
  let s = strips[0];
  for (const t of strips) if (t.y <= y) s = t;
  const offset = Math.max(0, Math.floor((y - s.y) / STEP)) * scale * width;
  return s && { s, offset: Math.min(offset, s.size - 1) };
}

function scrollTo(s, offset, y) {
  view.scrollTop = s.y + Math.floor(offset / (scale * width)) * STEP - y;
}

function goTo(address) {
  for (const s of strips) {
    const i = s.list.findIndex(r => address >= r.address && address < r.address + r.size);
    if (i < 0) continue;
    const r = wholeChunk(s, i);
    zoom = most;
    while (zoom > 0 && r.size / (whole / 2 ** zoom) > width / 2) zoom--;
    layout();
    scrollTo(s, r.offset, height / 3);
    pinned = { s, r, offset: r.offset };
    draw();
    const box = view.getBoundingClientRect(), row = scale * width;
    const y = s.y + Math.floor(r.offset / row) * STEP - view.scrollTop;
    showTip(pinned, box.left + MARGIN + (r.offset % row) / scale, box.top + y);
    return true;
  }
  return false;
}

// ---- events ----

function listen() {
  canvas.addEventListener('mousemove', e => {
    hovered = hit(e.offsetX, e.offsetY + view.scrollTop);
    showTip(hovered, e.clientX, e.clientY);
    redraw();
  });
  canvas.addEventListener('mouseleave', () => { hovered = pinned = null; showTip(null); redraw(); });
  canvas.addEventListener('click', e => {
    const at = hit(e.offsetX, e.offsetY + view.scrollTop);
    if (at && !at.r.shares) history.replaceState(null, '', '#' + hex(at.r.address + 16));
  });
  canvas.addEventListener('dblclick', e => setZoom(zoom + 2, e.offsetX, e.offsetY));
  canvas.addEventListener('wheel', e => {
    if (!e.ctrlKey) return;
    e.preventDefault();
    setZoom(zoom + (e.deltaY < 0 ? 1 : -1), e.offsetX, e.offsetY);
  }, { passive: false });
  view.addEventListener('scroll', redraw);
  byId('in').onclick = () => setZoom(zoom + 1);
  byId('out').onclick = () => setZoom(zoom - 1);
  byId('zoom').oninput = e => setZoom(Number(e.target.value));
  byId('pages').onchange = e => { showPages = e.target.checked; redraw(); };
  byId('find').onsubmit = e => {
    e.preventDefault();
    const address = parseInt(byId('address').value, 16);
    byId('address').classList.toggle('wrong', !goTo(address));
  };
  document.addEventListener('keydown', e => {
    if (e.target.id === 'address') return;
    if (e.key === '+' || e.key === '=') setZoom(zoom + 1);
    if (e.key === '-') setZoom(zoom - 1);
    if (e.key === '0') setZoom(0);
  });
  document.querySelectorAll('button.tile').forEach(tile => tile.onclick = () => {
    const state = Number(tile.dataset.state);
    if (!only.delete(state)) only.add(state);
    document.querySelectorAll('button.tile').forEach(t =>
      t.classList.toggle('off', only.size > 0 && !only.has(Number(t.dataset.state))));
    redraw();
  });
  document.querySelectorAll('th').forEach(th => th.onclick = () => sortBy(th));
  window.addEventListener('resize', resize);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    readColours();
    redraw();
  });
}

function sortBy(th) {
  const k = th.cellIndex, body = th.closest('table').tBodies[0];
  const value = tr => Number(tr.cells[k].dataset.v);
  const down = th.dataset.down = th.dataset.down === '1' ? '0' : '1';
  [...body.rows].sort((a, b) => (down === '1' ? 1 : -1) * (value(b) - value(a)))
    .forEach(tr => body.append(tr));
}

byId('still').hidden = true;
byId('live').hidden = false;
if (data.diff) byId('pages').parentElement.hidden = true;
readColours();
resize();
listen();
if (location.hash.startsWith('#0x')) goTo(parseInt(location.hash.slice(1), 16));
if (location.hash.startsWith('#zoom=')) setZoom(Number(location.hash.slice(6)));
document.body.dataset.records = records;
document.body.dataset.ready = 'yes';
})();
