import { StopWatch, TextStream } from '@user-llm/llm';
import type { TextTokenizer } from '@user-llm/plugin';

/** The text of an answer as its tokens come: whole characters only, without the space it starts with, up to a stop. */
export class AnswerText {
  readonly #stream: TextStream;
  readonly #watch: StopWatch;
  #begun = false;
  #stopped = false;

  /** @param stop Texts that end the answer and are no part of it. */
  constructor(tokenizer: Pick<TextTokenizer, 'decode'>, stop: readonly string[] = []) {
    this.#stream = new TextStream(tokenizer);
    this.#watch = new StopWatch(stop.filter((text) => text !== ''));
  }

  /** Whether a stop has come. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** Takes in a token and gives the text that is certain now, often none. */
  add(token: number): string {
    return this.#give(this.#stream.push(token));
  }

  /** What was held back, when no more tokens come. */
  end(): string {
    if (this.#stopped) return '';
    const last = this.#give(this.#stream.end());
    return this.#stopped ? last : last + this.#watch.end();
  }

  #give(piece: string): string {
    const fresh = this.#begun ? piece : piece.trimStart();
    this.#begun ||= fresh !== '';
    const { text, stopped } = this.#watch.push(fresh);
    this.#stopped = stopped;
    return text;
  }
}
