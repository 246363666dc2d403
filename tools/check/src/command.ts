import { spawn } from 'node:child_process';

/** What a finished command left. */
export interface CommandResult {
  /** The exit status; 1 when a signal ended it. */
  readonly status: number;
  /** Standard output and standard error as they came. Empty when the command wrote to the terminal itself. */
  readonly output: string;
}

/**
 * Runs a program to its end, without a shell.
 *
 * @param command The program.
 * @param args Its arguments.
 * @param options `cwd`: where it runs; `environment`: added to this process's; `show`: whether it writes to the
 *   terminal itself instead of being captured.
 * @throws Error when the program cannot be started.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly show?: boolean;
  },
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.environment },
      stdio: ['ignore', options.show ? 'inherit' : 'pipe', options.show ? 'inherit' : 'pipe'],
    });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', reject);
    child.on('close', (status) => {
      resolve({ status: status ?? 1, output: Buffer.concat(chunks).toString('utf8') });
    });
  });
}
