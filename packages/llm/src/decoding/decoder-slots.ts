import type { Value } from '@user-llm/graph';
import { UserLlmError } from '@user-llm/tensor';
import type { Branches, Slots } from './decode-stepper.js';

/** The memory of sequences in progress: a place more than there is room for, where idle slots of a step write to. */
export class DecoderSlots implements Slots {
  readonly lengths: number[];
  readonly room: number;
  /** Caches by the names of the graphs' inputs. */
  caches: Record<string, Value>;
  readonly context: Readonly<Record<string, Value>>;
  /** Values of the context that are disposed of with the slots. */
  readonly #owned: readonly Value[];
  #disposed = false;

  constructor(
    lengths: number[],
    room: number,
    caches: Record<string, Value>,
    context: Readonly<Record<string, Value>>,
    owned: readonly Value[],
  ) {
    this.#owned = owned;
    this.lengths = lengths;
    this.room = room;
    this.caches = caches;
    this.context = context;
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
    const values = [...Object.values(this.caches), ...this.#owned];
    for (const value of values) value.dispose();
  }
}

/** The memory of branches in progress. */
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
