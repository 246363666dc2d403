import type { WriteStream } from 'node:tty';
import type { PrepareProgress } from '@user-llm/datasets';

/** Shows how far a preparation is: one line that changes on a terminal, else a line at the start of each step. */
export function progressLine(stream: Pick<WriteStream, 'write' | 'isTTY'>): {
  show(progress: PrepareProgress): void;
  end(): void;
} {
  let last = '';
  return {
    show: ({ step, fraction }: PrepareProgress): void => {
      if (!stream.isTTY) {
        if (step !== last) stream.write(`${step}\n`);
      } else stream.write(`\r\u001b[K${step}${fraction === undefined ? '' : ` ${Math.floor(100 * fraction)} %`}`);
      last = step;
    },
    end: (): void => {
      if (stream.isTTY && last !== '') stream.write('\r\u001b[K');
    },
  };
}
