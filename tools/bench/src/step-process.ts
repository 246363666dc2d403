import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What an engine's process tells when it is ready to train. */
export interface Ready {
  /** What computes, with its version. */
  readonly engine: string;
  /** 10^9 floating-point operations of the matrix products of a step, where the engine counts them. */
  readonly gigaflop?: number;
  /** Seconds from the model's definition to a step that can run; absent where the first step does that work. */
  readonly compileSeconds?: number;
}

/** What an engine's process tells of the steps it ran. */
export interface Steps {
  readonly milliseconds: readonly number[];
  /** The loss of the last step. */
  readonly loss: number;
}

/** What an engine's process tells of a matrix product. */
export interface MatrixProduct {
  /** The best rate of a few runs, in GFLOP/s. */
  readonly gigaflops: number;
}

/** What an engine's process tells of its memory. */
export interface Memory {
  readonly peakBytes: number;
}

/** What an engine's process tells of tokens that it read. */
export interface TokensRead {
  readonly milliseconds: number;
}

/** What may be asked of an engine's process, and what it answers. */
export interface Requests {
  readonly steps: { readonly count: number; readonly answer: Steps };
  readonly product: { readonly count: number; readonly answer: MatrixProduct };
  readonly memory: { readonly count: 1; readonly answer: Memory };
  /** Tokens one by one. */
  readonly decode: { readonly count: number; readonly answer: TokensRead };
  /** Tokens at once. */
  readonly prefill: { readonly count: number; readonly answer: TokensRead };
}

/**
 * An engine in a process of its own, so that its peak memory is its own and nothing of another engine runs beside it.
 * It is asked and answers in lines of JSON; lines that are not objects are the engine's greetings and passed over.
 */
export class StepProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #errors = '';

  /** Starts a command that then says that it is `Ready`. */
  constructor(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(command, [...args], { env: { ...process.env, ...environment } });
    this.#child.stderr
      .setEncoding('utf8')
      .on('data', (text: string) => (this.#errors = (this.#errors + text).slice(-2000)));
    // A child that is gone is noticed by its missing answer.
    this.#child.stdin.on('error', () => undefined);
    this.#child.on('error', (error) => (this.#errors += error.message));
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /**
   * What the process says when it has started.
   *
   * @throws Error with the end of what it wrote to standard error when it ended instead.
   */
  ready(): Promise<Ready> {
    return this.#answer<Ready>();
  }

  /** Asks the process for something and waits for it; throws as `ready`. */
  ask<K extends keyof Requests>(request: K, count: Requests[K]['count']): Promise<Requests[K]['answer']> {
    this.#child.stdin.write(`${JSON.stringify({ request, count })}\n`);
    return this.#answer<Requests[K]['answer']>();
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.pid === undefined) return;
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.stdin.end();
    await ended;
  }

  async #answer<T>(): Promise<T> {
    for (;;) {
      const { done, value } = await this.#answers.next();
      if (done)
        throw new Error(`A process that was being measured ended: ${this.#child.spawnargs.join(' ')}\n${this.#errors}`);
      if (value.startsWith('{')) return JSON.parse(value) as T;
    }
  }
}

/** The engine's side: says that it is ready, then answers each line until there are no more. */
export async function serveSteps(
  ready: Ready,
  answers: { readonly [K in keyof Requests]?: (count: number) => Promise<Requests[K]['answer']> },
): Promise<void> {
  const say = (answer: object): void => void process.stdout.write(`${JSON.stringify(answer)}\n`);
  say(ready);
  for await (const line of createInterface({ input: process.stdin })) {
    const { request, count } = JSON.parse(line) as { request: keyof Requests; count: number };
    const answer = answers[request];
    if (!answer) throw new Error(`No answer to ${request}.`);
    say(await answer(count));
  }
}
