import {
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { readManifest, workspacePackages, workspaceRoot } from './workspace.mjs';

/** @typedef {import('./workspace.mjs').Manifest} Manifest */
/** @typedef {import('./workspace.mjs').WorkspacePackage} WorkspacePackage */

/** What no command reads: the packages inside a package (each is copied by itself), TypeScript, source maps. */
const unread = /^node_modules$|\.([cm]?ts|map|tsbuildinfo)$/;

/** Packages that ship every platform's libraries, and where those of this one lie. */
const platformFolders = new Map([['onnxruntime-node', ['bin/napi-v6', process.platform, process.arch]]]);

/**
 * Makes a folder that holds a built application with everything it needs at run time: copied to another machine of this
 * platform, `node FOLDER/bin/COMMAND.mjs` runs there with nothing installed but Node.
 *
 * The packages stay apart, as npm installed them, so that workers, libraries and pages are found as in the clone, and a
 * plugin inside the folder shares `@user-llm/*` with the application.
 *
 * @param {string} name The application's package, such as `@user-llm/serve`; it and what it needs are built.
 * @param {string} [folder] Where to, replaced as a whole; `dist/apps/NAME` of the clone when absent.
 * @returns {string} The folder.
 * @throws Error when the workspace has no such package, or when one that it needs is not installed or not built.
 */
export function makeAppFolder(name, folder) {
  const packages = workspacePackages();
  const app = packages.get(name);
  if (!app) throw new Error(`This workspace has no package ${name}.`);
  const target = folder ?? join(workspaceRoot, 'dist', app.path);
  const part = `${target}.part`;
  rmSync(part, { recursive: true, force: true });
  for (const source of productionFolders(app.folder)) {
    const path = relative(workspaceRoot, source).split(sep).join('/');
    const [home = '', ...inside] = path.split('/node_modules/');
    const own = [...packages.values()].find((candidate) => candidate.path === home);
    const place = own ? ['node_modules', own.name, ...inside.flatMap((one) => ['node_modules', one])] : [path];
    if (own && inside.length === 0) copyOwn(own, join(part, ...place));
    else copyInstalled(source, join(part, ...place));
  }
  writeCommands(app.manifest, part);
  copyFileSync(join(workspaceRoot, 'LICENSE'), join(part, 'LICENSE'));
  rmSync(target, { recursive: true, force: true });
  renameSync(part, target);
  return target;
}

/**
 * The folders of a package and of all that it needs at run time; optional peers are left to those who want them.
 *
 * @param {string} start
 * @returns {Set<string>}
 */
function productionFolders(start) {
  const folders = new Set([start]);
  // A set also yields what is added to it on the way.
  for (const folder of folders) {
    const { dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta = {} } = readManifest(folder);
    const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta[name]?.optional);
    for (const name of new Set([...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers])) {
      const found = findPackage(folder, name);
      if (found) folders.add(found);
      else if (!optionalDependencies || !(name in optionalDependencies)) {
        throw new Error(`${folder} needs ${name}, which is not installed. Run \`npm ci\`.`);
      }
    }
  }
  return folders;
}

/**
 * The folder in which Node finds a package, asked from another folder.
 *
 * @param {string} from
 * @param {string} name
 * @returns {string | undefined}
 */
function findPackage(from, name) {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
  const found = places.map((place) => join(place, name)).find((place) => existsSync(join(place, 'package.json')));
  return found && realpathSync(found);
}

/**
 * Copies what npm would pack of a package of the workspace.
 *
 * @param {WorkspacePackage} workspacePackage
 * @param {string} target
 */
function copyOwn({ name, folder, manifest }, target) {
  for (const path of ['package.json', ...(manifest.files ?? []).filter((file) => !file.startsWith('!'))]) {
    if (!existsSync(join(folder, path))) {
      throw new Error(`${name} has no ${path}. Run \`npx nx build ${name}\`.`);
    }
    copy(join(folder, path), join(target, path));
  }
}

/**
 * Copies a package that npm installed, without the libraries of other platforms.
 *
 * @param {string} source
 * @param {string} target
 */
function copyInstalled(source, target) {
  const [libraries, ...platform] = platformFolders.get(readManifest(source).name) ?? [];
  if (libraries === undefined) return copy(source, target);
  copy(source, target, join(source, libraries));
  copy(join(source, libraries, ...platform), join(target, libraries, ...platform));
}

/**
 * @param {string} source A file, or a folder with all in it but what is unread.
 * @param {string} target
 * @param {string} [without] A folder that is left out.
 */
function copy(source, target, without) {
  if (source === without || !existsSync(source)) return;
  if (!statSync(source).isDirectory()) {
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, target, constants.COPYFILE_FICLONE);
    return;
  }
  for (const entry of readdirSync(source)) {
    if (!unread.test(entry)) copy(join(source, entry), join(target, entry), without);
  }
}

/**
 * Writes the commands of an application, and the manifest of its folder.
 *
 * @param {Manifest} manifest Of the application.
 * @param {string} folder
 */
function writeCommands({ name, version, description, license, engines, bin = {} }, folder) {
  const platform = { os: [process.platform], cpu: [process.arch] };
  const dependencies = { [name]: version };
  const manifest = { private: true, description, license, type: 'module', engines, ...platform, dependencies };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  for (const path of Object.values(bin)) {
    const file = join(folder, path);
    copy(join(import.meta.dirname, 'run-command.mjs'), join(dirname(file), 'run-command.mjs'));
    const lines = [
      '#!/usr/bin/env node',
      "import { runCommand } from './run-command.mjs';",
      '',
      `await runCommand(new URL('../node_modules/${name}/dist/cli.js', import.meta.url));`,
      '',
    ];
    writeFileSync(file, lines.join('\n'), { mode: 0o755 });
  }
}
