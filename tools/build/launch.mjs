import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { hashSources, isFresh, recordBuild } from './freshness.mjs';
import { installMissing, installState } from './install.mjs';
import { withLock } from './lock.mjs';
import { withDependencies, workspacePackages, workspaceRoot } from './workspace.mjs';

/** @typedef {import('./workspace.mjs').WorkspacePackage} WorkspacePackage */

/**
 * Runs the command of a package of this workspace: builds the package and those it needs when their `dist` is missing
 * or stale, then calls `main(args)` of its `dist/cli.js` and exits with what that resolves to.
 *
 * A `bin/*.mjs` must exist when npm links it and Node 20 runs no TypeScript, so each of them is three committed lines
 * that call this.
 *
 * @param {string} binUrl `import.meta.url` of the file in `bin/`.
 * @param {{ install?: boolean }} [options] `install`: also install missing dependencies first.
 */
export async function launch(binUrl, { install = false } = {}) {
  try {
    const folder = dirname(dirname(fileURLToPath(binUrl)));
    if (install) installMissing(workspaceRoot);
    else if (installState(workspaceRoot) === 'missing') {
      throw new Error('The dependencies of this clone are not installed. Run `npm ci` in its root first.');
    }
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    await buildStale(workspaceRoot, name);
    stopWithoutReader();
    const { main } = await import(pathToFileURL(join(folder, 'dist/cli.js')).href);
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  }
}

/**
 * Stops as SIGTERM would when nobody reads the output any more (`... | head`): what a command saves when it is stopped is
 * saved then, too.
 */
function stopWithoutReader() {
  let told = false;
  process.stdout.on('error', (error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error;
    if (told) return;
    told = true;
    if (!process.emit('SIGTERM')) process.exit(141);
  });
}

/**
 * Builds what is stale among a package and those it needs, one process at a time for the whole clone.
 *
 * @param {string} root
 * @param {string} name Name of the package, such as `@user-llm/bench`.
 * @returns {Promise<string[]>} The names of the packages that were built.
 */
export async function buildStale(root, name) {
  const wanted = withDependencies(workspacePackages(root), name).filter(({ folder }) =>
    existsSync(join(folder, 'tsup.config.mjs')),
  );
  const stale = () => wanted.filter((workspacePackage) => !isFresh(root, workspacePackage));
  if (stale().length === 0) return [];
  return withLock(join(root, '.cache/launch/lock'), async () => {
    const building = stale();
    if (building.length === 0) return [];
    process.stderr.write(`Building ${building.map((workspacePackage) => workspacePackage.path).join(', ')} ...\n`);
    const queue = [...building];
    const worker = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) await build(root, next);
    };
    await Promise.all([worker(), worker()]);
    return building.map((workspacePackage) => workspacePackage.name);
  });
}

/**
 * @param {string} root
 * @param {WorkspacePackage} workspacePackage
 */
async function build(root, workspacePackage) {
  const sources = hashSources(root, workspacePackage);
  const tsup = join(
    dirname(createRequire(join(root, 'package.json')).resolve('tsup/package.json')),
    'dist/cli-default.js',
  );
  await new Promise((resolve, reject) => {
    execFile(process.execPath, [tsup], { cwd: workspacePackage.folder }, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`${stdout}${stderr}\nBuilding ${workspacePackage.path} failed; the lines above say why.`));
      else resolve(undefined);
    });
  });
  recordBuild(root, workspacePackage, sources);
}

/**
 * What a person is shown of an error: our own errors speak for themselves, others keep their stack.
 *
 * @param {unknown} error
 */
function describe(error) {
  if (!(error instanceof Error)) return String(error);
  return error.constructor === Error || 'code' in error ? error.message : (error.stack ?? error.message);
}
