import type { WriteStream } from 'node:tty';

/** Milliseconds from one line to the next: of a terminal's line that changes, and of lines elsewhere. */
const terminalEvery = 200;
const plainEvery = 15_000;

/** Shows how far something is: one line that changes on a terminal, a line now and then elsewhere. */
export class ProgressLine {
  readonly #stream: Pick<WriteStream, 'write' | 'isTTY'>;
  #shown = -Infinity;

  constructor(stream: Pick<WriteStream, 'write' | 'isTTY'>) {
    this.#stream = stream;
  }

  /** Shows a text, unless one was shown just now. */
  show(text: string): void {
    const now = performance.now();
    if (now - this.#shown < (this.#stream.isTTY ? terminalEvery : plainEvery)) return;
    this.#shown = now;
    this.#stream.write(this.#stream.isTTY ? `\r\u001b[K${text}` : `    ${text}\n`);
  }

  /** Takes the changing line away, and shows the next text at once. */
  end(): void {
    if (this.#stream.isTTY) this.#stream.write('\r\u001b[K');
    this.#shown = -Infinity;
  }
}
