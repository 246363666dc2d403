import type { Value } from '@user-llm/graph';
import { UserLlmError } from '@user-llm/tensor';
import type { Branches, Slots } from './decode-stepper.js';

/** The memory of sequences in progress: a place more than there is room for, where idle slots of a step write to. */
export class DecoderSlots implements Slots {
  readonly lengths: number[];
  readonly room: number;
  readonly context: Readonly<Record<string, Value>>;
  /** Values of the context that are disposed of with the slots. */
  readonly #owned: readonly Value[];
  #caches: Readonly<Record<string, Value>> = {};
  #written: Readonly<Record<string, Value>> = {};
  #disposed = false;

  constructor(
    lengths: number[],
    room: number,
    caches: Readonly<Record<string, Value>>,
    context: Readonly<Record<string, Value>>,
    owned: readonly Value[],
  ) {
    this.#owned = owned;
    this.lengths = lengths;
    this.room = room;
    this.caches = caches;
    this.context = context;
  }

  /** Caches by the names of the graphs' inputs. */
  get caches(): Readonly<Record<string, Value>> {
    return this.#caches;
  }

  set caches(caches: Readonly<Record<string, Value>>) {
    this.#caches = caches;
    const onto = Object.entries(caches).map(([name, cache]) => [`next/${name}`, cache] as const);
    this.#written = { ...Object.fromEntries(onto), ...(this.logits && { logits: this.logits }) };
  }

  /** Logits of the prompts or of the last step. */
  get logits(): Value | undefined {
    return this.#written['logits'];
  }

  /** What a step writes onto, by output: the caches, and the logits before. */
  get written(): Readonly<Record<string, Value>> {
    return this.#written;
  }

  /** Keeps logits, for the next step to write onto. */
  keepLogits(logits: Value): void {
    if (logits !== this.logits) this.#written = { ...this.#written, logits };
  }

  /** @throws UserLlmError `disposed` after `dispose`; `bad-argument` unless there are as many slots as asked for. */
  require(what: string, slots = this.lengths.length): void {
    if (this.#disposed) throw new UserLlmError('disposed', { what: `${what}: slots`, expected: 'slots that are held' });
    if (slots !== this.lengths.length)
      throw new UserLlmError('bad-argument', {
        what,
        expected: `tokens of ${this.lengths.length} slots`,
        got: `${slots}`,
      });
  }

  dispose(): void {
    this.#disposed = true;
    const values = [...Object.values(this.#written), ...this.#owned];
    for (const value of values) value.dispose();
  }
}

/** The memory of branches in progress: their own tokens' alone, since prompts stay in the slots. */
export class DecoderBranches implements Branches {
  readonly count: number;
  readonly caches: Record<string, Value>;
  /** For each slot and branch token the branch tokens it reads, itself last. */
  readonly lines: readonly (readonly number[])[][];

  constructor(count: number, caches: Record<string, Value>, lines: readonly (readonly number[])[][]) {
    this.count = count;
    this.caches = caches;
    this.lines = lines;
  }

  dispose(): void {
    for (const value of Object.values(this.caches)) value.dispose();
  }
}

/** The slots of this decoder behind an interface. */
export function ownSlots(slots: Slots): DecoderSlots {
  if (slots instanceof DecoderSlots) return slots;
  throw new UserLlmError('bad-argument', { what: 'slots', expected: 'slots of this decoder', got: 'others' });
}
