import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Whether `node_modules` holds what `package-lock.json` names: `missing` when nothing was installed, `outdated` when a
 * package that every platform needs is absent or of another version.
 *
 * @param {string} root
 * @returns {'complete' | 'outdated' | 'missing'}
 */
export function installState(root) {
  const installedFile = join(root, 'node_modules/.package-lock.json');
  if (!existsSync(installedFile)) return 'missing';
  const wanted = readPackages(join(root, 'package-lock.json'));
  const installed = readPackages(installedFile);
  const complete = Object.entries(wanted).every(
    ([path, { version, optional, devOptional, link, peer }]) =>
      !path.includes('node_modules/') ||
      optional ||
      devOptional ||
      link ||
      peer ||
      installed[path]?.version === version,
  );
  return complete ? 'complete' : 'outdated';
}

/**
 * Installs what the lock file names when it is not there yet; says so in one line, and shows npm's output only when
 * it fails.
 *
 * @param {string} root
 */
export function installMissing(root) {
  const state = installState(root);
  if (state === 'complete') return;
  process.stderr.write('Installing dependencies (once; about a minute) ...\n');
  const npm = process.env.npm_execpath;
  const [command, ...prefix] = npm ? [process.execPath, npm] : ['npm'];
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const { status, stdout, stderr, error } = spawnSync(
    command ?? 'npm',
    [...prefix, state === 'missing' ? 'ci' : 'install', ...quiet],
    { cwd: root, encoding: 'utf8', shell: !npm && process.platform === 'win32' },
  );
  if (status === 0) return;
  process.stderr.write(`${stdout ?? ''}${stderr ?? ''}`);
  throw new Error(
    `npm could not install the dependencies${error ? `: ${error.message}` : ''}; the lines above say why.`,
  );
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string, optional?: boolean, devOptional?: boolean, link?: boolean, peer?: boolean }>}
 */
function readPackages(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}
