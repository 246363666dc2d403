import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execute, thisHost } from './host.mjs';
import { checkRequirements } from './requirements.mjs';
import { fetchWheel, wheels } from './wheels.mjs';

const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

/** Raised when the commands below change in a way that makes earlier results wrong. */
const recipeVersion = 1;

/** @typedef {'tfjs-node' | 'tfjs-node-gpu'} AddonName */

/**
 * What is built and where it is kept.
 *
 * @typedef {object} BuildOptions
 * @property {AddonName} addon
 * @property {keyof typeof wheels} libraries Whose libraries it is linked to.
 * @property {string} cache The folder that holds the results.
 */

/**
 * The work itself, one function per step, so that tests can interrupt it.
 *
 * @typedef {object} Steps
 * @property {() => { nodeHeaders: string }} check
 * @property {(cache: string) => Promise<string>} fetch
 * @property {(folder: string, wheel: string, nodeHeaders: string) => Promise<void>} assemble
 * @property {(folder: string) => Promise<void>} prove
 */

/** @returns {string} The cache folder of this user. */
export function defaultCache() {
  const base = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(base, 'user-llm', 'tfjs-node');
}

/**
 * Builds the addon, or finds it in the cache.
 *
 * The folder appears under its final name only when a matrix product has been computed with what is in it; until
 * then it stands beside it. A run that was stopped leaves the wheel for the next one.
 *
 * @param {BuildOptions} options
 * @param {Steps} [steps]
 * @returns {Promise<string>} The folder whose `node_modules` holds the package.
 * @throws {import('./failure.mjs').BuildFailure} When this machine lacks something.
 */
export async function build(options, steps = realSteps(options)) {
  const folder = join(options.cache, await resultName(options));
  if (existsSync(folder)) {
    const works = await steps.prove(folder).then(
      () => true,
      () => false,
    );
    if (works) return folder;
  }
  const { nodeHeaders } = steps.check();
  await mkdir(options.cache, { recursive: true });
  await removeAbandoned(options.cache);
  const wheel = await steps.fetch(options.cache);
  const aside = `${folder}.partial-${process.pid}`;
  try {
    await steps.assemble(aside, wheel, nodeHeaders);
    await steps.prove(aside);
    await rm(folder, { recursive: true, force: true });
    await rename(aside, folder);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  await rm(wheel, { force: true });
  return folder;
}

/**
 * The name carries a hash of everything that decides the content.
 *
 * @param {BuildOptions} options
 */
async function resultName({ addon, libraries }) {
  const lock = await readFile(here(`../manifests/${addon}/package-lock.json`));
  const hash = createHash('sha256').update(lock).update(`${wheels[libraries].sha256} ${recipeVersion}`).digest('hex');
  return `${addon}-${libraries}-${hash.slice(0, 12)}`;
}

/**
 * @param {BuildOptions} options
 * @returns {Steps}
 */
function realSteps({ addon, libraries }) {
  const name = `@tensorflow/${addon}`;
  return {
    check: () => checkRequirements(thisHost()),
    fetch: (cache) => fetchWheel(wheels[libraries], cache),
    async assemble(folder, wheel, nodeHeaders) {
      await rm(folder, { recursive: true, force: true });
      await cp(here(`../manifests/${addon}`), folder, { recursive: true });
      await execute('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder });
      const home = join(folder, 'node_modules', name);
      await execute('python3', [here('extract.py'), wheel, join(home, 'deps')]);
      await linkAddon(home, nodeHeaders);
    },
    prove: (folder) =>
      execute(process.execPath, [here('proof.cjs'), name], {
        cwd: folder,
        env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2' },
      }),
  };
}

/**
 * Compiles the package's two source files to the place where it looks for them. Its `package.json` lists N-API
 * versions up to 8, so the folder is `napi-v8` whatever version Node itself has.
 *
 * @param {string} home The folder of the package.
 * @param {string} nodeHeaders
 */
async function linkAddon(home, nodeHeaders) {
  const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
  await execute('strip', ['--strip-unneeded', ...libraries.map((file) => join(home, 'deps', 'lib', file))]);
  await mkdir(join(home, 'lib', 'napi-v8'), { recursive: true });
  const language = ['-std=c++17', '-O2', '-shared', '-fPIC', '-DNAPI_VERSION=8'];
  const include = ['-I', nodeHeaders, '-I', '..', '-I', 'deps/include'];
  const sources = ['binding/tfjs_backend.cc', 'binding/tfjs_binding.cc'];
  const link = ['-Ldeps/lib', ...libraries.map((file) => `-l:${file}`), '-Wl,-rpath,$ORIGIN/../../deps/lib'];
  const output = ['-o', 'lib/napi-v8/tfjs_binding.node'];
  await execute('g++', [...language, ...include, ...sources, ...link, ...output], { cwd: home });
}

/**
 * Removes what stopped runs left: folders marked with the id of a process that no longer lives.
 *
 * @param {string} cache
 */
async function removeAbandoned(cache) {
  for (const name of await readdir(cache)) {
    const owner = /\.partial-(\d+)$/.exec(name)?.[1];
    if (owner !== undefined && !isAlive(Number(owner))) await rm(join(cache, name), { recursive: true, force: true });
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}
