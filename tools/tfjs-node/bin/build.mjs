#!/usr/bin/env node
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build, defaultCache } from '../src/build.mjs';
import { BuildFailure } from '../src/failure.mjs';

const usage = `Builds the native addon of TensorFlow.js for Node and prints the folder to set USER_LLM_TFJS_NODE to.

  build.mjs [--addon tfjs-node|tfjs-node-gpu] [--libraries cpu|cuda] [--cache FOLDER]

  --addon      which package; tfjs-node unless given
  --libraries  whose libraries it uses: cpu (222 MB to fetch) or cuda (559 MB; needs CUDA 11.8 and cuDNN 8.6 at run
               time for a GPU); cpu for tfjs-node and cuda for tfjs-node-gpu unless given
  --cache      where results are kept; $XDG_CACHE_HOME/user-llm/tfjs-node or ~/.cache/user-llm/tfjs-node unless given
`;

/** @param {string} name @param {string} value @param {readonly string[]} allowed */
function oneOf(name, value, allowed) {
  if (allowed.includes(value)) return;
  throw new BuildFailure('bad-argument', { what: `--${name}`, expected: allowed.join(' or '), got: value });
}

try {
  const { values } = parseArgs({
    options: {
      addon: { type: 'string', default: 'tfjs-node' },
      libraries: { type: 'string' },
      cache: { type: 'string', default: defaultCache() },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
  } else {
    const libraries = values.libraries ?? (values.addon === 'tfjs-node' ? 'cpu' : 'cuda');
    oneOf('addon', values.addon, ['tfjs-node', 'tfjs-node-gpu']);
    oneOf('libraries', libraries, ['cpu', 'cuda']);
    const cache = resolve(values.cache);
    const options = /** @type {import('../src/build.mjs').BuildOptions} */ ({ addon: values.addon, libraries, cache });
    process.stdout.write(`${await build(options)}\n`);
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
