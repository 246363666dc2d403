import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { BuildFailure } from './failure.mjs';
import { execute } from './host.mjs';

/**
 * @typedef {object} Wheel
 * @property {string} requirement Package and version, as pip names them.
 * @property {string} sha256 Of the file for CPython 3.11 on manylinux2014 x86-64.
 */

/**
 * The TensorFlow builds that hold the C library; 2.12 is the first line that ships `libtensorflow_cc.so.2`.
 *
 * @type {Readonly<Record<'cpu' | 'cuda', Wheel>>}
 */
export const wheels = {
  cpu: {
    requirement: 'tensorflow-cpu==2.12.0',
    sha256: 'e8c7047552a2d759f3e65ac13e36dd24bb5fec2e6576e848287811ec44b3d62f',
  },
  cuda: {
    requirement: 'tensorflow==2.12.0',
    sha256: '6ec4a2934ea19e92f27a9668ece43025ed5efe14b5d19be53b07692bc8a4189d',
  },
};

/**
 * Brings a wheel into the cache, unless it is there already.
 *
 * pip refuses any file with another hash; a file found in the cache is hashed again before it is used.
 *
 * @param {Wheel} wheel
 * @param {string} cache The cache folder.
 * @returns {Promise<string>} The path of the wheel.
 */
export async function fetchWheel(wheel, cache) {
  const path = join(cache, `${wheel.sha256}.whl`);
  if ((await sha256(path)) === wheel.sha256) return path;
  const aside = join(cache, `wheel.partial-${process.pid}`);
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true });
  try {
    const requirements = join(aside, 'requirements.txt');
    await writeFile(requirements, `${wheel.requirement} --hash=sha256:${wheel.sha256}\n`);
    const target = ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'];
    const from = ['--platform', 'manylinux2014_x86_64', '--no-deps', '--only-binary=:all:', '--require-hashes'];
    await execute('python3', ['-m', 'pip', 'download', '-q', ...target, ...from, '-d', aside, '-r', requirements]);
    const file = (await readdir(aside)).find((name) => name.endsWith('.whl'));
    if (file === undefined) {
      throw new BuildFailure('no-wheel', { what: wheel.requirement, expected: 'a wheel from pip', got: 'none' });
    }
    await rename(join(aside, file), path);
    return path;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/**
 * @param {string} path
 * @returns {Promise<string | undefined>} In hexadecimal digits; undefined when there is no such file.
 */
async function sha256(path) {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined;
    throw error;
  }
  return hash.digest('hex');
}
