import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockfileFindings, type Lockfile } from '../lockfile.js';
import type { Step } from '../step.js';

const incompletePublications = {
  'node_modules/chdb': 'only the tests of the second table engine use it, and they skip where it cannot be loaded',
};

/** Holds that `package-lock.json` installs on every platform and from any registry. */
export const lockfileStep: Step = {
  name: 'lockfile',
  description: 'package-lock.json has every platform package and names no registry',
  async run({ root }) {
    const lockfile = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lockfile;
    const findings = lockfileFindings(lockfile, incompletePublications);
    return { passed: findings.length === 0, detail: findings.join('\n') };
  },
};
