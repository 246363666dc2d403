import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/**
 * @typedef {object} Manifest What this tooling reads of a `package.json`.
 * @property {string} name
 * @property {string} [version]
 * @property {string} [description]
 * @property {string} [license]
 * @property {string[]} [workspaces]
 * @property {Record<string, string>} [dependencies]
 * @property {Record<string, string>} [optionalDependencies]
 * @property {Record<string, string>} [peerDependencies]
 * @property {Record<string, { optional?: boolean }>} [peerDependenciesMeta]
 * @property {Record<string, string>} [engines]
 * @property {string[]} [files]
 * @property {Record<string, string>} [bin]
 *
 * @typedef {object} WorkspacePackage One package of the workspace.
 * @property {string} name Its name on npm, such as `@user-llm/tensor`.
 * @property {string} path Its folder relative to the root, with `/`, such as `packages/tensor`.
 * @property {string} folder Its folder, absolute.
 * @property {Manifest} manifest
 */

/** The root folder of this clone. */
export const workspaceRoot = resolve(import.meta.dirname, '../..');

/**
 * Every package of the workspace, by name.
 *
 * @param {string} [root]
 * @returns {Map<string, WorkspacePackage>}
 */
export function workspacePackages(root = workspaceRoot) {
  const { workspaces = [] } = readManifest(root);
  const packages = new Map();
  for (const pattern of workspaces) {
    const parent = pattern.replace(/\/\*$/, '');
    if (!existsSync(join(root, parent))) continue;
    for (const entry of readdirSync(join(root, parent)).sort()) {
      const path = `${parent}/${entry}`;
      const folder = join(root, path);
      if (!existsSync(join(folder, 'package.json'))) continue;
      const manifest = readManifest(folder);
      packages.set(manifest.name, { name: manifest.name, path, folder, manifest });
    }
  }
  return packages;
}

/**
 * A package and all packages of the workspace that it needs at run time, those it needs first.
 *
 * @param {Map<string, WorkspacePackage>} packages
 * @param {string} name
 * @returns {WorkspacePackage[]}
 */
export function withDependencies(packages, name) {
  /** @type {Map<string, WorkspacePackage>} */
  const ordered = new Map();
  const visiting = new Set();
  /** @param {string} current */
  const visit = (current) => {
    const found = packages.get(current);
    if (!found || ordered.has(current) || visiting.has(current)) return;
    visiting.add(current);
    for (const dependency of runtimeDependencies(found.manifest)) visit(dependency);
    ordered.set(current, found);
  };
  visit(name);
  return [...ordered.values()];
}

/**
 * The names a package may import at run time.
 *
 * @param {Manifest} manifest
 * @returns {string[]}
 */
export function runtimeDependencies({ dependencies, optionalDependencies, peerDependencies }) {
  return Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies });
}

/**
 * The `package.json` of a folder.
 *
 * @param {string} folder
 * @returns {Manifest}
 */
export function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}
