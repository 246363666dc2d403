import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { childProgram, referenceScript } from '../places.js';
import { StepProcess } from '../step-process.js';

const python = process.env['PYTHON'] ?? 'python3';

/** Where llama.cpp comes from. */
export interface LlamaCppSource {
  /** Makes a file whose matrices are all of one kind, but for the embedding, which is the output layer too. */
  makeFile(model: string, path: string, kind: string, embedding: string): void;
  /** Starts a process that answers `decode` and `prefill`. */
  start(path: string, threads: number): StepProcess;
}

const ofPython: LlamaCppSource = {
  makeFile: (...files) => {
    execFileSync(python, [referenceScript('llama_cpp_decode.py'), '--quantize', ...files], { stdio: 'ignore' });
  },
  start: (path, threads) =>
    new StepProcess(python, [referenceScript('llama_cpp_decode.py'), '--model', path, '--threads', `${threads}`]),
};

function ofNode(module: string): LlamaCppSource {
  return {
    makeFile: (...files) => {
      execFileSync(python, [referenceScript('gguf_kinds.py'), ...files], { stdio: 'ignore' });
    },
    start: (path, threads) => {
      const child = childProgram('node-llama-cpp-child');
      return new StepProcess(process.execPath, [child, module, path, `${threads}`]);
    },
  };
}

/**
 * llama.cpp of Python where `PYTHON` has llama_cpp, or else that of the node-llama-cpp whose folder `NODE_LLAMA_CPP` names,
 * for which `PYTHON` has to have gguf; undefined where there is neither.
 */
export function findLlamaCpp(): LlamaCppSource | undefined {
  if (canImport('llama_cpp')) return ofPython;
  const module = process.env['NODE_LLAMA_CPP'];
  return module !== undefined && existsSync(module) && canImport('gguf') ? ofNode(resolve(module)) : undefined;
}

function canImport(module: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' });
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

  /** Opens a file of a model; `own` for the one that is there, or the kinds of its matrices and of its embedding. */
  static async open(
    source: LlamaCppSource,
    model: string,
    kinds: 'own' | readonly [matrices: string, embedding: string],
    folder: string,
    threads: number,
  ): Promise<LlamaCpp> {
    const path = kinds === 'own' ? model : join(folder, `${kinds[0]}.gguf`);
    if (kinds !== 'own') source.makeFile(model, path, ...kinds);
    const child = source.start(path, threads);
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
