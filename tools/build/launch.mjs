import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { hashSources, isFresh, recordBuild } from './freshness.mjs';
import { installMissing, installState } from './install.mjs';
import { withLock } from './lock.mjs';
import { runCommand } from './run-command.mjs';
import { readManifest, withDependencies, workspacePackages, workspaceRoot } from './workspace.mjs';

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
  const folder = dirname(dirname(fileURLToPath(binUrl)));
  await runCommand(pathToFileURL(join(folder, 'dist/cli.js')), async () => {
    if (install) installMissing(workspaceRoot);
    else if (installState(workspaceRoot) === 'missing') {
      throw new Error('The dependencies of this clone are not installed. Run `npm ci` in its root first.');
    }
    await buildStale(workspaceRoot, readManifest(folder).name);
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
