import { demand } from '@user-llm/plugin/testing';
import type { Tensor } from '@user-llm/tensor';
import { createDecoder } from '../decoding/create-decoder.js';
import type { DecodeStepper } from '../decoding/decode-stepper.js';
import type { BenchCheck } from './family-checks.js';
import type { ModelBench } from './model-bench.js';
import { demandClose } from './reading-checks.js';

const lengths = [7, 2, 5];
const total = 12;

/** Rows of equal length, what the whole model makes of them, and a decoder of it. */
async function withDecoder(
  bench: ModelBench,
  run: (decoder: DecodeStepper, rows: readonly number[][], wanted: readonly Float32Array[][]) => Promise<void>,
): Promise<void> {
  const rows = lengths.map((_, row) => bench.tokens(total, `row ${row}`));
  const wanted = await bench.logits(rows);
  const decoder = createDecoder({ llm: bench.llm, weights: bench.weights, runtime: bench.runtime });
  try {
    await run(decoder, rows, wanted);
  } finally {
    await decoder.dispose();
  }
}

function rowsOf({ data, shape }: Tensor<'float32'>): Float32Array[] {
  const width = shape.at(-1)!;
  return Array.from({ length: data.length / width }, (_, row) => data.subarray(row * width, (row + 1) * width));
}

/** What is read through caches. */
export const decodingChecks: Readonly<Record<string, BenchCheck>> = {
  'prompts of unequal lengths, and tokens after them one by one, read as whole texts do': (bench) =>
    withDecoder(bench, async (decoder, rows, wanted) => {
      const prompts = rows.map((row, at) => row.slice(0, lengths[at]));
      const { slots, logits } = await decoder.prefill(prompts, { room: total + 1 });
      rowsOf(logits).forEach((own, row) => {
        demandClose(own, wanted[row]![lengths[row]! - 1]!, `logits after prompt ${row}`);
      });
      for (let step = 0; step < total - Math.max(...lengths); step++) {
        const next = await decoder.step(
          slots,
          rows.map((row, at) => row[lengths[at]! + step]!),
        );
        rowsOf(next).forEach((own, row) => {
          demandClose(own, wanted[row]![lengths[row]! + step]!, `logits ${step + 1} tokens after prompt ${row}`);
        });
      }
      slots.dispose();
    }),
  'several tokens at once after a prompt read as whole texts do': (bench) =>
    withDecoder(bench, async (decoder, rows, wanted) => {
      const { slots } = await decoder.prefill(
        rows.map((row) => row.slice(0, 3)),
        { room: total + 1 },
      );
      const more = [8, 4, 6];
      const logits = await decoder.extend(
        slots,
        rows.map((row, at) => row.slice(3, 3 + more[at]!)),
      );
      rowsOf(logits).forEach((own, row) => {
        demandClose(own, wanted[row]![2 + more[row]!]!, `logits ${more[row]} tokens after prompt ${row}`);
      });
      slots.dispose();
    }),
  'branches of a prompt read as texts of their own do, where the family has them': (bench) =>
    withDecoder(bench, async (decoder, rows) => {
      if (!decoder.branch) return;
      const prompt = rows[0]!.slice(0, 6);
      const { slots } = await decoder.prefill([prompt], { room: 8 });
      const [a, b, c, d, e] = bench.tokens(5, 'branches');
      const first = await decoder.branch(slots, { tokens: [[a!, b!, c!]], parents: [[-1, -1, 0]] });
      const second = await decoder.branch(slots, { tokens: [[d!, e!]], parents: [[2, 1]] }, first.branches);
      const texts = [[a!], [b!], [a!, c!], [a!, c!, d!], [b!, e!]];
      const got = [...rowsOf(first.logProbabilities), ...rowsOf(second.logProbabilities)];
      for (const [at, text] of texts.entries()) {
        const [whole] = await bench.logits([[...prompt, ...text]]);
        const last = whole!.at(-1)!;
        const log = Math.log(last.reduce((sum, logit) => sum + Math.exp(logit), 0));
        demandClose(
          got[at]!,
          last.map((logit) => logit - log),
          `chances after branch ${at}`,
        );
      }
      second.branches.dispose();
      slots.dispose();
    }),
  'slots may be full, and idle ones stay as they are': (bench) =>
    withDecoder(bench, async (decoder, rows, wanted) => {
      const { maximumTokens } = bench.llm;
      demand(maximumTokens >= total, 'positions of the small model', `${total} or more`, `${maximumTokens}`);
      const full = bench.tokens(maximumTokens, 'full');
      const { slots } = await decoder.prefill([full, rows[1]!.slice(0, 4)]);
      const next = await decoder.step(slots, [-1, rows[1]![4]!]);
      demandClose(rowsOf(next)[1]!, wanted[1]![4]!, 'logits beside a slot that is full');
      slots.dispose();
    }),
};
