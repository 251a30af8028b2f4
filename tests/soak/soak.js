// soak.js SECONDS: worker threads that come and go, and buffers.
const { Worker, isMainThread } = require('worker_threads');
if (isMainThread) {
    const end = Date.now() + 1000 * process.argv[2];
    const next = () => {
        if (Date.now() > end) return;
        const w = new Worker(__filename);
        w.on('exit', next);
        w.on('error', (e) => { console.error(e); process.exit(1); });
    };
    for (let i = 0; i < 2; i++) next();
} else {
    let kept = [];
    for (let i = 0; i < 3000; i++) {
        kept.push(Buffer.allocUnsafeSlow(Math.floor(Math.random() * 20000) + 1).fill(i));
        if (kept.length > 200) kept = kept.slice(100);
    }
}
