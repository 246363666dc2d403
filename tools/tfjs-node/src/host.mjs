import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * What the build needs to know about the machine; a value, so that tests can describe machines they do not run on.
 *
 * @typedef {object} Host
 * @property {string} platform As `process.platform`.
 * @property {string} arch As `process.arch`.
 * @property {string} nodeVersion Such as `20.20.2`.
 * @property {(command: string, ...args: string[]) => boolean} answers Whether a command runs and succeeds.
 * @property {string | undefined} nodeHeaders The folder that holds `node_api.h`.
 */

/** @returns {Host} This machine. */
export function thisHost() {
  return {
    platform: process.platform,
    arch: process.arch,
    nodeVersion: process.versions.node,
    answers: (command, ...args) => spawnSync(command, args, { stdio: 'ignore' }).status === 0,
    nodeHeaders: findNodeHeaders(),
  };
}

/** @returns {string | undefined} */
function findNodeHeaders() {
  const given = process.env['NODE_INCLUDE'];
  const beside = join(dirname(dirname(process.execPath)), 'include', 'node');
  const candidates = given ? [given] : [beside, '/usr/local/include/node', '/usr/include/node'];
  return candidates.find((folder) => existsSync(join(folder, 'node_api.h')));
}

/**
 * Runs a command to its end, with its output on standard error: standard output is kept for the result.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<void>}
 * @throws {Error} When it cannot start or does not end with 0.
 */
export function execute(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 2, 2] });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${command} ${args[0] ?? ''} ended with ${signal ?? code}`));
    });
  });
}
