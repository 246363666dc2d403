import type { TextTokenizer } from '@user-llm/plugin';

/** Tokens that are looked at again, at most, while a character is incomplete. */
const mostTokens = 32;

/** How many of them stay: more than what is held back can have come of. */
const keptTokens = 16;

/** The text of tokens that come one by one: a character is told when all of its bytes are there. */
export class TextStream {
  readonly #decode: TextTokenizer['decode'];
  #tokens: number[] = [];
  /** How many of them, the first ones, are only context: their text was told before the others came. */
  #context = 0;
  /** Length of the part of their text that has been told. */
  #told = 0;

  constructor({ decode }: Pick<TextTokenizer, 'decode'>) {
    this.#decode = decode;
  }

  /** What the token adds to the text; nothing of a character that is incomplete. */
  push(token: number): string {
    this.#tokens.push(token);
    const text = this.#decode(this.#tokens);
    const whole = wholeCharacters(text);
    const fresh = text.slice(this.#told, whole);
    if (fresh !== '' && whole === text.length) {
      this.#tokens = this.#tokens.slice(this.#context);
      this.#context = this.#tokens.length;
      this.#told = this.#decode(this.#tokens).length;
    } else if (this.#tokens.length > mostTokens) {
      this.#tokens = this.#tokens.slice(-keptTokens);
      this.#context = 0;
      this.#told = wholeCharacters(this.#decode(this.#tokens));
    } else this.#told = Math.max(this.#told, whole);
    return fresh;
  }

  /** What is left when no more tokens come. */
  end(): string {
    const text = this.#decode(this.#tokens);
    const fresh = text.slice(this.#told);
    this.#told = text.length;
    return fresh;
  }
}

/** The length of a text without what may be the start of a character: of three bytes at most, each perhaps a `�`. */
function wholeCharacters(text: string): number {
  let length = text.length;
  while (length > Math.max(0, text.length - 3) && text[length - 1] === '\ufffd') length--;
  return length;
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
