import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StepProcess } from '../step-process.js';

const python = process.env['PYTHON'] ?? 'python3';
const script = fileURLToPath(new URL('../../../reference/llama_cpp_decode.py', import.meta.url));

/** Whether llama.cpp is there for Python. */
export function hasLlamaCpp(): boolean {
  try {
    execFileSync(python, ['-c', 'import llama_cpp'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** llama.cpp on a file of one kind, in a process of its own. */
export class LlamaCpp {
  readonly engine: string;
  readonly #process: StepProcess;

  private constructor(engine: string, process: StepProcess) {
    this.engine = engine;
    this.#process = process;
  }

  /** Makes a file of another kind of a model and opens it. */
  static async open(model: string, kind: string, folder: string, threads: number): Promise<LlamaCpp> {
    const path = join(folder, `${kind}.gguf`);
    execFileSync(python, [script, '--quantize', model, path, kind], { stdio: 'ignore' });
    const child = new StepProcess(python, [script, '--model', path, '--threads', `${threads}`]);
    const { engine } = await child.ready();
    return new LlamaCpp(engine, child);
  }

  /** Tokens per second. */
  async rate(request: 'decode' | 'prefill', tokens: number): Promise<number> {
    const { milliseconds } = await this.#process.ask(request, tokens);
    return (1000 * tokens) / milliseconds;
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}
