import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runCommand } from '../command.js';
import type { Step } from '../step.js';

/** What Nx and others need to hear in a run that is nobody's terminal. */
export const quietEnvironment = {
  NX_DAEMON: 'false',
  NX_ISOLATE_PLUGINS: 'false',
  NX_TUI: 'false',
  NO_COLOR: '1',
} as const;

/**
 * The path of a JavaScript program of an installed package.
 *
 * @param root The root folder of the clone.
 * @param program `PACKAGE` and the file in it, such as `typescript/bin/tsc`.
 */
export function programPath(root: string, program: `${string}/${string}`): string {
  const [name = '', ...file] = program.split('/');
  return join(dirname(createRequire(join(root, 'package.json')).resolve(`${name}/package.json`)), ...file);
}

/**
 * A step that is one program of an installed package; it passes when the program exits with 0.
 *
 * @param name What the step is called.
 * @param description What it holds.
 * @param program `PACKAGE` and the file in it.
 * @param args The program's arguments.
 */
export function commandStep(
  name: string,
  description: string,
  program: `${string}/${string}`,
  args: readonly string[],
): Step {
  return {
    name,
    description,
    async run({ root }) {
      const { status, output } = await runCommand(process.execPath, [programPath(root, program), ...args], {
        cwd: root,
        environment: quietEnvironment,
      });
      return { passed: status === 0, detail: status === 0 ? '' : output };
    },
  };
}
