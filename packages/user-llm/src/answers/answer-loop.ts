import type { DecodeStepper, Slots } from '@user-llm/llm';
import { UserLlmError, type Tensor } from '@user-llm/tensor';
import { rowOf, rowsInto } from '../inference/rows.js';

/** One answer to be written. */
export interface AnswerTask {
  /** The prompt's tokens, at least one. */
  readonly prompt: readonly number[];
  /** What the LLM reads of the user, as the decoder takes it, one row; nothing for a decoder without users. */
  readonly context: Readonly<Record<string, Tensor>>;
  /** Most tokens of the answer. */
  readonly maximumTokens: number;
  /** Chooses the next token out of logits `[vocabulary]`. */
  choose(logits: Float32Array): number;
  /** Takes in a token that was chosen; `true` ends the answer. */
  take(token: number): boolean;
  /** Called once: without an error when the answer is whole. */
  finish(error?: unknown): void;
  readonly signal?: AbortSignal;
}

interface Running {
  readonly task: AnswerTask;
  /** Chosen and not yet read. */
  next: number;
  written: number;
}

/**
 * Writes several answers at once, one token of each per step (continuous batching): answers join between steps and leave
 * when they end, each in a slot of its own with its user's context.
 *
 * What an answer says does not depend on those beside it, but for rounding.
 */
export class AnswerLoop {
  readonly #decoder: DecodeStepper;
  readonly #room: number;
  readonly #limit: number;
  readonly #waiting: AnswerTask[] = [];
  #slots: Slots | undefined;
  /** Of the last step, whose memory the next one reuses. */
  #logits: Tensor<'float32'> | undefined;
  /** By slot; nothing where the answer has left. */
  #running: (Running | undefined)[] = [];
  #busy = false;

  /**
   * @param room Positions that each slot has room for.
   * @param limit Most answers at once; others wait.
   */
  constructor(decoder: DecodeStepper, room: number, limit: number) {
    this.#decoder = decoder;
    this.#room = room;
    this.#limit = limit;
  }

  /** Adds an answer; `task.finish` tells when it is done. */
  add(task: AnswerTask): void {
    this.#waiting.push(task);
    if (this.#busy) return;
    this.#busy = true;
    // A turn later, so that what is asked at the same time starts together.
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiting.length > 0 || this.#active.length > 0) {
        this.#dropAborted();
        await this.#join();
        await this.#step();
      }
    } catch (error) {
      const all = [...this.#active.map(({ task }) => task), ...this.#waiting.splice(0)];
      this.#running = [];
      for (const task of all) task.finish(error);
    } finally {
      this.#slots?.dispose();
      this.#slots = undefined;
      this.#logits = undefined;
      this.#running = [];
      this.#busy = false;
    }
  }

  get #active(): Running[] {
    return this.#running.filter((running) => running !== undefined);
  }

  #dropAborted(): void {
    const gone = this.#waiting.filter(({ signal }) => signal?.aborted);
    for (const task of gone) {
      this.#waiting.splice(this.#waiting.indexOf(task), 1);
      task.finish(aborted(task));
    }
    this.#running = this.#running.map((running) => {
      if (!running?.task.signal?.aborted) return running;
      running.task.finish(aborted(running.task));
      return undefined;
    });
  }

  /** Reads the prompts of those who wait, as far as there are slots, and puts them beside the others. */
  async #join(): Promise<void> {
    const active = this.#active;
    const joining = this.#waiting.splice(0, this.#limit - active.length);
    if (joining.length === 0) return;
    let fresh: Slots;
    let logits: Tensor<'float32'>;
    try {
      const context = rowsInto(joining.map((task) => task.context));
      const prompts = joining.map(({ prompt }) => prompt);
      ({ slots: fresh, logits } = await this.#decoder.prefill(prompts, { room: this.#room, context }));
    } catch (error) {
      // Those who are writing already are not to suffer for a prompt that cannot be read.
      for (const task of joining) task.finish(error);
      return;
    }
    const begun = joining.map((task, row) => {
      const running = { task, next: -1, written: 0 };
      return this.#advance(running, rowOf(logits, row)) ? running : undefined;
    });
    await this.#arrange(fresh, begun);
  }

  /** Makes slots of those that are active and those that are new. */
  async #arrange(fresh: Slots, begun: readonly (Running | undefined)[]): Promise<void> {
    const rowsOf = (all: readonly (Running | undefined)[]) => [...all.keys()].filter((row) => all[row]);
    const [kept, added] = [rowsOf(this.#running), rowsOf(begun)];
    const whole = kept.length === 0 && added.length === begun.length;
    const parts = [
      ...(kept.length > 0 ? [{ slots: this.#slots!, rows: kept }] : []),
      ...(added.length > 0 ? [{ slots: fresh, rows: added }] : []),
    ];
    const old = this.#slots;
    try {
      this.#slots = whole ? fresh : parts.length > 0 ? await this.#decoder.arrange(parts) : undefined;
    } finally {
      old?.dispose();
      if (this.#slots !== fresh) fresh.dispose();
    }
    this.#running = [...kept.map((row) => this.#running[row]), ...added.map((row) => begun[row])];
  }

  /** One more token of every answer. */
  async #step(): Promise<void> {
    if (this.#active.length === 0) return;
    await this.#compact();
    const tokens = this.#running.map((running) => running?.next ?? -1);
    const reuse = this.#logits;
    const logits = await this.#decoder.step(this.#slots!, tokens, reuse && { reuse });
    this.#logits = logits;
    this.#running = this.#running.map((running, slot) =>
      running && this.#advance(running, rowOf(logits, slot)) ? running : undefined,
    );
  }

  /** Gives slots back once half of them are idle. */
  async #compact(): Promise<void> {
    const rows = [...this.#running.keys()].filter((slot) => this.#running[slot]);
    if (2 * rows.length > this.#running.length) return;
    const old = this.#slots!;
    this.#slots = await this.#decoder.arrange([{ slots: old, rows }]);
    old.dispose();
    this.#running = rows.map((slot) => this.#running[slot]);
  }

  /** Chooses and hands over a token; says whether the answer goes on. */
  #advance(running: Running, logits: Float32Array): boolean {
    const { task } = running;
    try {
      running.next = task.choose(logits);
      running.written++;
      if (!task.take(running.next) && running.written < task.maximumTokens) return true;
      task.finish();
    } catch (error) {
      task.finish(error);
    }
    return false;
  }
}

function aborted({ signal }: AnswerTask): UserLlmError {
  return new UserLlmError('aborted', { what: 'answer', got: 'its signal aborted', cause: signal?.reason });
}
