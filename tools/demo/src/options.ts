import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { UserLlmError } from '@user-llm/tensor';
import { recipeNames, type RecipeName } from './recipes/by-name.js';

const help = `
Trains a User-LLM on real MovieLens histories, judges it beside its baselines, and answers questions about a real user:
about 8 minutes on two cores. Ctrl-C stops it and saves; the same command goes on.

Examples:
  $ npm run demo
  $ npm run demo -- --seed 2 --out runs/demo-2
  $ npm run demo -- --data ml-1m --out runs/ml-1m --effort 4
  $ npm run demo -- --llm models/stories260K.bin --out runs/stories
  $ npm run demo -- --recipe real-llm --llm models/SmolLM2-135M-Instruct --data ml-1m --out runs/smollm2
  $ npm run serve`;

/** What the demo is called with. */
export interface DemoOptions {
  readonly recipe: RecipeName;
  readonly data: string;
  readonly out: string;
  /** Checkpoint that takes the place of the decoder trained from scratch. */
  readonly llm?: string | undefined;
  readonly seed: number;
  readonly effort: number;
  /** Of pretraining the encoder; that of `effort` when absent. */
  readonly encoderEffort?: number | undefined;
  /** Users that are judged, drawn at random; as many as the recipe says when absent. */
  readonly users?: number | undefined;
}

/**
 * Reads the command line.
 *
 * @throws CommanderError for what is not understood, and for `--help`; UserLlmError `bad-argument` for a recipe that wants
 *   a checkpoint and was given none.
 */
export function demoOptions(args: readonly string[]): DemoOptions {
  const bundled = fileURLToPath(new URL('../data', import.meta.url));
  const options = new Command('demo')
    .description('the main job on real data: from raw MovieLens files to a User-LLM that answers')
    .addOption(
      new Option('--recipe <name>', 'a decoder trained from scratch in minutes, or a pretrained LLM in hours')
        .choices(recipeNames)
        .default('from-scratch' as const),
    )
    .option('--data <folder>', 'a MovieLens folder of your own (ratings and movies, csv or dat)', bundled)
    .option('--llm <path>', 'a Llama checkpoint instead of the decoder: a Hugging Face folder, or a .bin of llama2.c')
    .option('--out <folder>', 'folder of everything the demo makes', 'runs/demo')
    .option('--seed <n>', 'seed of everything random', wholeNumber, 1)
    .option('--effort <factor>', 'training time relative to the usual', positive, 1)
    .option('--encoder-effort <factor>', 'the same of pretraining the encoder, if not that of --effort', positive)
    .option('--users <n>', 'judge so many users, drawn at random; 400 when absent, 500 with --recipe real-llm', fromOne)
    .addHelpText('after', help)
    .exitOverride()
    .parse(args, { from: 'user' })
    .opts();
  if (options.recipe === 'real-llm' && options.llm === undefined) {
    throw new UserLlmError('bad-argument', {
      what: '--recipe real-llm',
      expected: 'a pretrained LLM',
      got: 'none',
      mend: 'Name the folder of its checkpoint with --llm.',
    });
  }
  return options;
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
