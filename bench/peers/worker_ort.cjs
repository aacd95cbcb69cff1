// worker_ort.cjs NODE_MODULES MODEL.onnx EXPORTED: ONNX Runtime behind the protocol of peers.py.
const fs = require('fs');
const path = require('path');
const readline = require('readline');

const [modules, file, exported] = process.argv.slice(2);
const ort = require(path.join(modules, 'onnxruntime-node'));
const { version } = require(path.join(modules, 'onnxruntime-node', 'package.json'));

async function main() {
  const { side, pictures } = JSON.parse(fs.readFileSync(path.join(exported, 'shape.json')));
  const bytes = fs.readFileSync(path.join(exported, 'inputs.f32'));
  const all = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const feeds = Array.from({ length: pictures }, (_, i) => ({
    x: new ort.Tensor('float32', all.slice(i * 3 * side * side, (i + 1) * 3 * side * side), [1, 3, side, side]),
  }));
  const session = await ort.InferenceSession.create(file, {
    intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all', executionMode: 'sequential',
  });
  console.log(`ready ONNX Runtime ${version} ${path.basename(file, '.onnx')}`);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const { y } = await session.run(feeds[Number(line) % pictures]);
    const wall = (performance.now() - start) / 1e3;
    const used = process.cpuUsage(cpu);
    console.log(`${wall} ${(used.user + used.system) / 1e6} ${Array.from(y.data).join(' ')}`);
  }
}
main();
