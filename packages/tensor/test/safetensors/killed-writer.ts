import { spawn } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

/** A child process that writes checkpoints over and over, until it is killed. */
export interface Writer {
  /** Waits for a line of its output. */
  said(line: string): Promise<void>;
  /** SIGKILL, and the end of the process. */
  kill(): Promise<void>;
}

/**
 * Starts the writer.
 *
 * @param sources The folder of `compileSources`.
 * @param path The checkpoint.
 * @param names The tensors of each checkpoint, 2 MiB each, filled with the number of the write.
 * @param stopAt The tensor whose turn never ends; checkpoint after checkpoint is written when it is -1.
 */
export function startWriter(sources: string, path: string, names: readonly string[], stopAt: number): Writer {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, pathToFileURL(`${sources}/`).href], {
    env: { ...process.env, CHECKPOINT: path, NAMES: JSON.stringify(names), STOP_AT: String(stopAt) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  return {
    said: async (line) => {
      while (!output.split('\n').includes(line)) {
        if (child.exitCode !== null) {
          throw new Error(`the writer ended before "${line}": ${output}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

const program = `
  const { CHECKPOINT, NAMES, STOP_AT } = process.env;
  const sources = process.argv.at(-1);
  const { full } = await import(new URL('factories.js', sources));
  const { writeSafetensors } = await import(new URL('safetensors/write-safetensors.js', sources));
  const shape = [2 ** 19];
  // A process with nothing but an unsettled promise would end by itself.
  setInterval(() => {}, 1000);
  for (let round = 1; ; round++) {
    const tensors = JSON.parse(NAMES).map((name, index) => [name, { dtype: 'float32', shape, read: async () => {
      if (index === Number(STOP_AT)) {
        process.stdout.write('reading ' + index + '\\n');
        await new Promise(() => {});
      }
      return full('float32', ['a'], shape, round);
    } }]);
    await writeSafetensors(CHECKPOINT, tensors);
    process.stdout.write('wrote ' + round + '\\n');
  }
`;

/** Compiles the package's sources to JavaScript in a new folder, so that a plain child process can run them. */
export async function compileSources(target: string): Promise<void> {
  const sources = fileURLToPath(new URL('../../src/', import.meta.url));
  await mkdir(target);
  await writeFile(join(target, 'package.json'), '{ "type": "module" }');
  for (const name of await readdir(sources, { recursive: true })) {
    if (name.endsWith('.ts')) {
      const text = await readFile(join(sources, name), 'utf8');
      const { outputText } = ts.transpileModule(text, {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 },
      });
      const file = join(target, name.replace(/ts$/, 'js'));
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, outputText);
    }
  }
}
