import type { WriteStream } from 'node:tty';
import type { EvaluationProgress } from '@user-llm/evaluation';

/** How often a terminal's line is written anew, in milliseconds. */
const interval = 100;

/** Shows how far an evaluation is: one line that changes on a terminal, else a line at the start of each step. */
export function progressLine(stream: Pick<WriteStream, 'write' | 'isTTY'>): {
  show(progress: EvaluationProgress): void;
  say(step: string): void;
  end(): void;
} {
  let step = '';
  let started = 0;
  let shown = 0;
  const say = (text: string): void => {
    stream.write(stream.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
  };
  return {
    say,
    show: ({ candidate, task, answered, questions }): void => {
      const now = performance.now();
      const name = `${candidate}: ${task}`;
      if (name !== step) {
        [step, started] = [name, now];
        if (!stream.isTTY) say(name);
      }
      if (!stream.isTTY || (now - shown < interval && answered < questions)) return;
      shown = now;
      const rate = answered / ((now - started) / 1000);
      const left = Number.isFinite(rate) ? `, ${Math.ceil((questions - answered) / rate)} s left` : '';
      say(`${name} ${answered}/${questions}${left}`);
    },
    end: (): void => {
      if (stream.isTTY) stream.write('\r\u001b[K');
    },
  };
}
