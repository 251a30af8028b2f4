// work.js WORKERS - the same digests in every run: buffers, json, regular expressions, zlib (in the thread
// pool) and crypto, in the main thread and in worker threads; then workers that start and end.
'use strict';
const { Worker, isMainThread, workerData, parentPort } = require('worker_threads');
const { createHash, pbkdf2 } = require('crypto');
const { execFileSync } = require('child_process');
const { promisify } = require('util');
const zlib = require('zlib');

const deflate = promisify(zlib.deflate);
const inflate = promisify(zlib.inflate);
const derive = promisify(pbkdf2);
const digest = (...parts) => createHash('sha1').update(JSON.stringify(parts)).digest('hex');

function numbers(seed) {
    let state = seed;
    return (limit) => (state = (state * 1103515245 + 12345) % 2147483648) % limit;
}

function words(count, seed) {
    const next = numbers(seed);
    return Array.from({ length: count }, () => next(2 ** 30).toString(36).repeat(1 + next(5)));
}

async function work(seed) {
    const list = words(30000, seed);
    const index = new Map();
    for (const word of list) index.set(word.slice(0, 3), (index.get(word.slice(0, 3)) || []).concat(word.length));
    const buffers = [];
    const next = numbers(seed + 1);
    for (let i = 0; i < 3000; i++) {
        buffers[next(200)] = Buffer.alloc(next(64 * 1024), i % 251); // the old one is garbage
        if (i % 500 === 0) buffers.fill(undefined, 0, 50);
    }
    const kept = buffers.filter(Boolean);
    const packed = await Promise.all(kept.slice(0, 40).map((b) => deflate(b)));
    const back = await Promise.all(packed.map((b) => inflate(b)));
    const text = JSON.parse(JSON.stringify(list)).join(' ');
    const matches = text.match(/([a-z])\d\1?/g).length;
    const keys = await Promise.all([1, 2, 3, 4].map((n) => derive(`p${n}`, 'salt', 2000, 64, 'sha256')));
    return digest([...index].length, kept.map((b) => b.length), packed.map((b) => b.length),
                  back.map((b) => b[0] || 0), matches, keys.map((k) => k.toString('hex')));
}

function start(data) {
    return new Promise((resolve, reject) => {
        const worker = new Worker(__filename, { workerData: data });
        let answer;
        worker.on('message', (message) => { answer = message; });
        worker.on('error', reject);
        worker.on('exit', (code) => (code === 0 ? resolve(answer) : reject(new Error(`exit ${code}`))));
    });
}

async function main() {
    const count = Number(process.argv[2]);
    const shared = new SharedArrayBuffer(1 << 20);
    const results = await Promise.all([work(1), ...Array.from({ length: count }, (_, n) =>
        start({ seed: n + 1, shared, transfer: new ArrayBuffer(1 << 16) }))]);
    results.forEach((line, n) => console.log(n, line));
    for (let round = 0; round < 5; round++) {
        const small = await Promise.all([1, 2, 3].map((n) => start({ small: round * 10 + n })));
        console.log('round', round, digest(small));
    }
    console.log(execFileSync(process.execPath, ['-p', '[..."abc"].reverse().join("")']).toString().trim());
    console.log(new Int32Array(shared)[0]);
}

if (isMainThread) {
    main().catch((error) => { console.error(error); process.exit(1); });
} else if (workerData.small) {
    parentPort.postMessage(digest(words(200, workerData.small)));
} else {
    Atomics.add(new Int32Array(workerData.shared), 0, workerData.seed);
    work(workerData.seed).then((line) => parentPort.postMessage(line));
}
