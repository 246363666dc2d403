import * as nodeFiles from 'node:fs/promises';
import type { WritableFile, WritableFiles } from '../../src/files/write-file-atomically.js';

/** When the file system stops working. */
export interface Failure {
  /** After so many bytes; a write that reaches further is cut there. */
  readonly afterBytes?: number;
  /** At the so-manieth call, counted from 0, of any kind. */
  readonly atCall?: number;
  /** Whether nothing works any more from then on, as when the process is killed; else only that call fails. */
  readonly forGood: boolean;
}

/** The real file system, until it fails: with a full disk, at some call, once or for good. */
export class FailingFiles implements WritableFiles {
  calls = 0;
  /** Files opened and not closed. */
  openFiles = 0;
  #bytes = 0;
  #failed = false;
  readonly #failure: Failure;

  constructor(failure: Failure) {
    this.#failure = failure;
  }

  async open(path: string, flags: 'wx' | 'r'): Promise<WritableFile> {
    this.#call();
    const file = await nodeFiles.open(path, flags);
    this.openFiles++;
    return {
      write: async (bytes, from, length) => {
        this.#call();
        const room = (this.#failure.afterBytes ?? Infinity) - this.#bytes;
        const { bytesWritten } = await file.write(bytes, from, Math.min(length, room));
        this.#bytes += bytesWritten;
        if (bytesWritten < length) {
          this.#fail('ENOSPC: no space left on device');
        }
        return { bytesWritten };
      },
      sync: async () => {
        this.#call();
        await file.sync();
      },
      close: async () => {
        // The descriptor is given back in any case, for the test's own sake.
        await file.close();
        this.openFiles--;
        this.#call();
      },
    };
  }

  async rename(from: string, to: string): Promise<void> {
    this.#call();
    await nodeFiles.rename(from, to);
  }

  async unlink(path: string): Promise<void> {
    this.#call();
    await nodeFiles.unlink(path);
  }

  #call(): void {
    if ((this.#failed && this.#failure.forGood) || this.calls++ === this.#failure.atCall) {
      this.#fail('EIO: i/o error');
    }
  }

  #fail(message: string): never {
    this.#failed = true;
    throw new Error(message);
  }
}
