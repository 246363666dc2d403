import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';

const help = `
Trains a User-LLM on real MovieLens histories, judges it beside its baselines, and answers questions about a real user:
about 8 minutes on two cores. Ctrl-C stops it and saves; the same command goes on.

Examples:
  $ npm run demo
  $ npm run demo -- --seed 2 --out runs/demo-2
  $ npm run demo -- --data ml-1m --out runs/ml-1m --effort 4
  $ npm run demo -- --llm models/SmolLM2-135M --out runs/smollm2 --effort 20
  $ npm run serve`;

/** What the demo is called with. */
export interface DemoOptions {
  readonly data: string;
  readonly out: string;
  /** Checkpoint that takes the place of the decoder trained from scratch. */
  readonly llm?: string | undefined;
  readonly seed: number;
  readonly effort: number;
  /** Users that are judged, drawn at random; all when absent. */
  readonly users?: number | undefined;
}

/**
 * Reads the command line.
 *
 * @throws CommanderError for what is not understood, and for `--help`.
 */
export function demoOptions(args: readonly string[]): DemoOptions {
  const bundled = fileURLToPath(new URL('../data', import.meta.url));
  return new Command('demo')
    .description('the main job on real data: from raw MovieLens files to a User-LLM that answers')
    .option('--data <folder>', 'a MovieLens folder of your own (ratings and movies, csv or dat)', bundled)
    .option('--llm <path>', 'a Llama checkpoint instead of the decoder: a Hugging Face folder, or a .bin of llama2.c')
    .option('--out <folder>', 'folder of everything the demo makes', 'runs/demo')
    .option('--seed <n>', 'seed of everything random', wholeNumber, 1)
    .option('--effort <factor>', 'training time relative to the usual', positive, 1)
    .option('--users <n>', 'judge so many users, drawn at random; all when absent', fromOne)
    .addHelpText('after', help)
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts();
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError('It must be a whole number from 0.');
}

function fromOne(text: string): number {
  const value = wholeNumber(text);
  if (value > 0) return value;
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number above 0.');
}
