import type { WriteStream } from 'node:tty';
import type { RunProgress } from '@user-llm/training';

/** Seconds between lines where there is no terminal. */
const plainEvery = 15;

/** Shows how far a run is: one line that changes on a terminal, else a line now and then. */
export function runProgress(
  stream: Pick<WriteStream, 'write' | 'isTTY'>,
  now: () => number = () => performance.now(),
): { show(progress: RunProgress): void; end(): void } {
  let shown = -Infinity;
  let open = false;
  const end = (): void => {
    if (open) stream.write('\r\u001b[K');
    open = false;
  };
  return {
    end,
    show: (progress) => {
      const kept = progress.validation !== undefined;
      const waited = (now() - shown) / 1000;
      if (!kept && waited < (stream.isTTY ? 0.2 : plainEvery)) return;
      shown = now();
      if (stream.isTTY && !kept) {
        stream.write(`\r\u001b[K${progressText(progress)}`);
        open = true;
      } else {
        end();
        stream.write(`${progressText(progress)}\n`);
      }
    },
  };
}

/** A progress as a line: `pretrain (1 of 2)  step 120 of 4,000  loss 6.213  2,310 examples/s  4:05 left`. */
export function progressText(progress: RunProgress): string {
  const { stage, stageNumber, stages, step, steps, phase, loss, examplesPerSecond, secondsLeft, validation } = progress;
  const number = (n: number) => n.toLocaleString('en-US');
  const figures = Object.entries(validation ?? {}).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  const parts = [
    stages > 1 ? `${stage} (${stageNumber} of ${stages})` : stage,
    `step ${number(step)}${steps === undefined ? '' : ` of ${number(steps)}`}`,
    phase === 'train' || validation ? '' : phase === 'save' ? 'saving' : 'validating',
    loss === undefined ? '' : `loss ${loss.toFixed(4)}`,
    validation ? `validation: ${figures.join(' ')}` : '',
    examplesPerSecond === undefined || validation ? '' : `${number(Math.round(examplesPerSecond))} examples/s`,
    secondsLeft === undefined ? '' : `${duration(secondsLeft)} left`,
  ];
  return parts.filter((part) => part !== '').join('  ');
}

/** Seconds as `4:05` or `1:04:05`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
