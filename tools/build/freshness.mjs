import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** @typedef {import('./workspace.mjs').WorkspacePackage} WorkspacePackage */

/** What every build reads besides its own package. */
const sharedInputs = ['tsconfig.base.json', 'tools/build/tsup.mjs'];
const ownInputs = ['package.json', 'tsconfig.lib.json', 'tsup.config.mjs', 'src'];

/**
 * Whether a package's `dist` is what its sources make now: the sources hash to what was recorded after the last
 * build, and nobody has touched or removed an output since.
 *
 * @param {string} root
 * @param {WorkspacePackage} workspacePackage
 * @returns {boolean}
 */
export function isFresh(root, workspacePackage) {
  const recordFile = recordPath(root, workspacePackage);
  if (!existsSync(recordFile)) return false;
  const record = JSON.parse(readFileSync(recordFile, 'utf8'));
  return (
    record.sources === hashSources(root, workspacePackage) &&
    JSON.stringify(record.outputs) === JSON.stringify(describeOutputs(workspacePackage))
  );
}

/**
 * The hash of all that a package is built from, shared configuration included.
 *
 * @param {string} root
 * @param {WorkspacePackage} workspacePackage
 * @returns {string}
 */
export function hashSources(root, { folder }) {
  const hash = createHash('sha256');
  const files = [
    ...sharedInputs.map((path) => join(root, path)),
    ...ownInputs.flatMap((path) => listFiles(join(folder, path))),
  ];
  for (const file of files.filter((path) => existsSync(path))) {
    hash.update(`${file}\0`).update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}

/**
 * Records that `dist` now holds what sources with this hash make.
 *
 * @param {string} root
 * @param {WorkspacePackage} workspacePackage
 * @param {string} sources `hashSources` taken *before* the build, so that an edit during it shows as stale.
 */
export function recordBuild(root, workspacePackage, sources) {
  const file = recordPath(root, workspacePackage);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.part`, JSON.stringify({ sources, outputs: describeOutputs(workspacePackage) }));
  renameSync(`${file}.part`, file);
}

/** @param {WorkspacePackage} workspacePackage */
function describeOutputs({ folder }) {
  return listFiles(join(folder, 'dist'))
    .filter((file) => file.endsWith('.js'))
    .map((file) => [file.slice(folder.length), statSync(file).size, statSync(file).mtimeMs]);
}

/**
 * @param {string} root
 * @param {WorkspacePackage} workspacePackage
 */
function recordPath(root, { path }) {
  return join(root, '.cache/launch', `${path.replace('/', '-')}.json`);
}

/**
 * All files under a path (the path itself when it is a file), sorted.
 *
 * @param {string} path
 * @returns {string[]}
 */
function listFiles(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((entry) => listFiles(join(path, entry)));
}
