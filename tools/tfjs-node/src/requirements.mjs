import { BuildFailure } from './failure.mjs';

/**
 * Checks that this machine can build the addon, and names everything that is missing at once.
 *
 * @param {import('./host.mjs').Host} host
 * @returns {{ nodeHeaders: string }} The folder that holds `node_api.h`.
 * @throws {BuildFailure} `unsupported-platform`, `unsupported-node` or `missing-tools`.
 */
export function checkRequirements(host) {
  if (host.platform !== 'linux' || host.arch !== 'x64') {
    throw new BuildFailure('unsupported-platform', {
      what: 'building the TensorFlow.js addon',
      expected: 'linux x64, which the pinned TensorFlow wheels are for',
      got: `${host.platform} ${host.arch}`,
      mend: 'Use the prebuilt download (npm install @tensorflow/tfjs-node) or the WASM backend.',
    });
  }
  const major = Number.parseInt(host.nodeVersion, 10);
  if (!(major >= 18 && major < 23)) {
    throw new BuildFailure('unsupported-node', {
      what: 'building the TensorFlow.js addon',
      expected: 'Node.js 18 to 22',
      got: host.nodeVersion,
      mend: 'Run this command with such a version; @tensorflow/tfjs-node calls functions that Node.js 23 removed.',
    });
  }
  const missing = [];
  if (!host.answers('python3', '-m', 'pip', '--version')) missing.push('python3 with pip (apt: python3-pip)');
  if (!host.answers('g++', '--version')) missing.push('g++ with C++17 (apt: g++)');
  if (!host.answers('strip', '--version')) missing.push('strip (apt: binutils)');
  if (!host.answers('npm', '--version')) missing.push('npm');
  if (host.nodeHeaders === undefined) {
    missing.push('the headers of Node.js (node_api.h; set NODE_INCLUDE to the folder that holds it)');
  }
  if (missing.length > 0 || host.nodeHeaders === undefined) {
    throw new BuildFailure('missing-tools', {
      what: 'building the TensorFlow.js addon',
      expected: 'pip, g++, strip, npm and the headers of Node.js',
      got: `no ${missing.join(', no ')}`,
      mend: 'Install what is missing, or use the WASM backend, which needs none of it.',
    });
  }
  return { nodeHeaders: host.nodeHeaders };
}
