'use strict';
// Loads the package named by the first argument from the working folder and multiplies two matrices with it.
const { createRequire } = require('node:module');
const { join } = require('node:path');

const name = process.argv[2];
const tf = createRequire(join(process.cwd(), 'package.json'))(name);
if (tf.getBackend() !== 'tensorflow') throw new Error(`${name} started the backend ${tf.getBackend()}`);
const matrix = tf.tensor2d([
  [1, 2],
  [3, 4],
]);
const product = Array.from(matrix.matMul(matrix).dataSync()).join();
if (product !== '7,10,15,22') throw new Error(`${name} computed a wrong matrix product: ${product}`);
process.stderr.write(`${name} ${tf.version['tfjs-node']} on TensorFlow ${tf.backend().binding.TF_Version} works\n`);
