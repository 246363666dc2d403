import type { Benchmark } from '../benchmark.js';
import { median } from '../median.js';
import { childProgram } from '../places.js';
import { StepProcess } from '../step-process.js';
import { smolLm2 } from './smol-lm2.js';

const rounds = 5;

/** What a frozen LLM costs to train through: time against the peak of the machine, and memory. */
export const tuneStep: Benchmark = {
  name: 'tune-step',
  description:
    'a tuning step of frozen SmolLM2-135M with cross-attention (16 x 96 tokens, 128 of them predicted, AdamW)',
  async run({ threads, progress }) {
    progress('getting ready');
    const child = new StepProcess(process.execPath, [childProgram('tune-step-child'), smolLm2(), `${threads}`]);
    try {
      const { engine, compileSeconds, gigaflop } = await child.ready();
      const first = await child.ask('steps', 1);
      const times: number[] = [];
      const peaks: number[] = [];
      let loss = first.loss;
      for (let round = 0; round < rounds; round++) {
        progress(`round ${round + 1} of ${rounds}`);
        peaks.push((await child.ask('product', 1)).gigaflops);
        const steps = await child.ask('steps', 1);
        times.push(steps.milliseconds[0]!);
        loss = steps.loss;
      }
      const { peakBytes } = await child.ask('memory', 1);
      const milliseconds = median(times);
      const rate = (1000 * gigaflop!) / milliseconds;
      return {
        rows: [
          {
            'median ms': milliseconds,
            'least ms': Math.min(...times),
            'GFLOP of matrix products': gigaflop,
            'GFLOP/s': rate,
            'compile s': compileSeconds,
            'peak MiB': peakBytes / 2 ** 20,
            'first loss': first.loss,
            'last loss': loss,
          },
        ],
        ratios: { 'share of the peak of matrix products': rate / median(peaks) },
        versions: { engine, 'peak of matrix products': `${median(peaks).toFixed(0)} GFLOP/s` },
      };
    } finally {
      await child.close();
    }
  },
};
