import type { TextTokenizer } from '@user-llm/plugin';

/** The text of tokens that come one by one: a character is told when all of its bytes are there. */
export class TextStream {
  readonly #decode: TextTokenizer['decode'];
  #tokens: number[] = [];
  /** How many of them have been told; they stay as context for those that follow. */
  #told = 0;

  constructor({ decode }: Pick<TextTokenizer, 'decode'>) {
    this.#decode = decode;
  }

  /** What the token adds to the text; nothing while a character is incomplete. */
  push(token: number): string {
    this.#tokens.push(token);
    const fresh = this.#fresh();
    if (fresh === '' || fresh.endsWith('\ufffd')) return '';
    this.#tokens = this.#tokens.slice(this.#told);
    this.#told = this.#tokens.length;
    return fresh;
  }

  /** What is left when no more tokens come. */
  end(): string {
    const fresh = this.#fresh();
    this.#told = this.#tokens.length;
    return fresh;
  }

  #fresh(): string {
    const before = this.#decode(this.#tokens.slice(0, this.#told));
    return this.#decode(this.#tokens).slice(before.length);
  }
}

/** Watches a text that comes in pieces for texts that end it. */
export class StopWatch {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** What may be told of the text, and whether it ends here; what may be the start of a stop is held back. */
  push(piece: string): { readonly text: string; readonly stopped: boolean } {
    const all = this.#held + piece;
    const found = this.#stops.flatMap((stop) => {
      const start = all.indexOf(stop);
      return start < 0 ? [] : [{ start, end: start + stop.length }];
    });
    // The one that is whole first, so that it does not matter in which pieces the text comes.
    const [first] = found.sort((a, b) => a.end - b.end || a.start - b.start);
    if (first) return { text: all.slice(0, first.start), stopped: true };
    const kept = Math.max(0, ...this.#stops.map((stop) => overlap(all, stop)));
    this.#held = all.slice(all.length - kept);
    return { text: all.slice(0, all.length - kept), stopped: false };
  }

  /** What was held back, when no more text comes. */
  end(): string {
    return this.#held;
  }
}

/** The length of the longest end of the text that is a start of the stop, without being all of it. */
function overlap(text: string, stop: string): number {
  for (let length = Math.min(stop.length - 1, text.length); length > 0; length--)
    if (text.endsWith(stop.slice(0, length))) return length;
  return 0;
}
