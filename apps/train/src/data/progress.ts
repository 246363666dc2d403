import type { WriteStream } from 'node:tty';
import type { DownloadProgress, PrepareProgress } from '@user-llm/datasets';

/** A line that tells how far something is. */
export interface ProgressLine<Progress> {
  show(progress: Progress): void;
  /** Clears the line. */
  end(): void;
}

type Stream = Pick<WriteStream, 'write' | 'isTTY'>;

/** Shows how far a preparation is: one line that changes on a terminal, else a line at the start of each step. */
export const prepareProgress = (stream: Stream): ProgressLine<PrepareProgress> =>
  progressLine(stream, ({ step, fraction }) => [step, fraction]);

/** Shows how far a download is, in the same way. */
export const downloadProgress = (stream: Stream): ProgressLine<DownloadProgress> =>
  progressLine(stream, ({ file, step, bytes, of }) => {
    const size = of === undefined ? '' : ` (${(of / 1e6).toFixed(1)} MB)`;
    return [`${step} ${file}${size}`, bytes === undefined || of === undefined ? undefined : bytes / of];
  });

function progressLine<Progress>(
  stream: Stream,
  parts: (progress: Progress) => readonly [step: string, fraction: number | undefined],
): ProgressLine<Progress> {
  let last = '';
  return {
    show: (progress) => {
      const [step, fraction] = parts(progress);
      const line = stream.isTTY && fraction !== undefined ? `${step} ${Math.floor(100 * fraction)} %` : step;
      if (line === last) return;
      stream.write(stream.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
      last = line;
    },
    end: () => {
      if (stream.isTTY && last !== '') stream.write('\r\u001b[K');
    },
  };
}
