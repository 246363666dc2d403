import { readFile } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import {
  loadLanguageModel,
  modelAgreement,
  QuantizedMatrix,
  quantizeLanguageModel,
  sampleText,
  saveLanguageModel,
  type Agreement,
  type LoadedLanguageModel,
  type Weight,
} from '@user-llm/llm';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { UserLlmError } from '@user-llm/tensor';
import { loadPlugins, userLlmRegistry } from '@user-llm/user-llm';
import { writeFolder } from './write-folder.js';

const help = `
Matrices of products are rounded in blocks of 32 numbers; the output layer, and an embedding that is tied to it, to 8 bits
either way. Norms and biases stay. The folder is loaded like any other. A model that has matrices of few bits already is
refused: what was lost by those would not be seen.

--check reads a text, behind the token that opens texts where the LLM has one, by the weights before and after and
compares, at every token, which token each holds for the likeliest, and the perplexities: once by the blocks, as answers
are written token by token, and once as prompts are read. Below --least-agreement, or above --most-perplexity, nothing is
written (exit status 1).

Examples:
  $ user-llm-train llm quantize models/smollm2 --bits 8 --out models/smollm2-int8 --check
  $ user-llm-train llm quantize models/smollm2 --bits 4 --out models/smollm2-int4 --check --text notes.txt
  $ user-llm-train llm quantize models/ours --bits 8 --out models/ours-int8 --plugin ./our-family.mjs`;

/** What a model may lose by being quantized. */
interface Bounds {
  /** Share of likeliest tokens that must stay. */
  readonly agreement: number;
  /** Times the perplexity before. */
  readonly perplexity: number;
}

const usual: Readonly<Record<4 | 8, Bounds>> = {
  4: { agreement: 0.65, perplexity: 1.3 },
  8: { agreement: 0.9, perplexity: 1.02 },
};

/** `llm quantize`: a language model with its matrices in 4 or 8 bits. */
export function quantizeCommand(signal: AbortSignal): CommandUnknownOpts {
  return new Command('quantize')
    .description('write a language model with its matrices in 4 or 8 bits')
    .argument('<model>', 'Hugging Face folder, GGUF file or llama2.c checkpoint')
    .addOption(new Option('--bits <n>', 'bits per number').choices(['4', '8'] as const).makeOptionMandatory())
    .requiredOption('--out <folder>', 'folder that is made')
    .option('--check', 'compare with the weights before, and refuse what is too far from them')
    .option('--text <file>', 'text to compare on; a built-in English one when absent')
    .option('--least-agreement <share>', 'of likeliest tokens; when absent 0.9 of 8 bits, 0.65 of 4', positive)
    .option('--most-perplexity <factor>', 'times that before; when absent 1.02 of 8 bits, 1.3 of 4', positive)
    .option(
      '--plugin <module>',
      'plugin with families of LLMs: a path that starts with ./ or /, or a package; can be repeated',
      (module: string, before: readonly string[]) => [...before, module],
      [] as readonly string[],
    )
    .addHelpText('after', help)
    .action(async (path, { bits, out, check, text, plugin, leastAgreement, mostPerplexity }) => {
      const width = bits === '4' ? 4 : 8;
      const registry = userLlmRegistry(await loadPlugins(plugin));
      const families = [...registry.all('llms').values()];
      await writeFolder(out, async (folder) => {
        const before = realModel(path, await loadLanguageModel(path, { families, weights: 'as-stored' }));
        const after = quantizeLanguageModel(before, width, { families });
        process.stdout.write(formatSizes(before, after));
        if (check) {
          const { tokenizer } = before;
          if (!tokenizer) throw missingTokenizer(path);
          const tokens = tokenizer.encode(text === undefined ? sampleText : await readText(text));
          const runtime = await OnnxRuntime.create();
          const { opensWith } = tokenizer;
          const bounds = {
            agreement: leastAgreement ?? usual[width].agreement,
            perplexity: mostPerplexity ?? usual[width].perplexity,
          };
          try {
            for (const compact of runtime.integerProducts ? [true, false] : [true]) {
              const models = [before, after] as const;
              const agreement = await modelAgreement({ models, tokens, opensWith, runtime, families, compact });
              const read = compact ? 'token by token' : 'as prompts are';
              process.stdout.write(`read ${read}: ${formatAgreement(agreement)}`);
              requireAgreement(agreement, bounds);
            }
          } finally {
            await runtime.dispose();
          }
        }
        signal.throwIfAborted();
        await saveLanguageModel(folder, after, { families });
      });
      process.stdout.write(`written to ${out}\n`);
    });
}

/** @throws UserLlmError `already-quantized` for a model with matrices of few bits. */
function realModel(path: string, model: LoadedLanguageModel<Weight>): LoadedLanguageModel {
  const few = Object.keys(model.weights).find((name) => model.weights[name] instanceof QuantizedMatrix);
  if (few === undefined) return model as LoadedLanguageModel;
  throw new UserLlmError('already-quantized', {
    what: path,
    expected: 'weights in float32, float16 or bfloat16',
    got: `${few} in few bits`,
    mend: 'Quantize the model that it was made of.',
  });
}

/** How many matrices became smaller, and how much that is, as a line for people. */
function formatSizes(before: LoadedLanguageModel, after: LoadedLanguageModel<Weight>): string {
  const matrices = Object.values(after.weights).filter(({ shape }) => shape.length === 2);
  const few = matrices.filter((weight) => weight instanceof QuantizedMatrix);
  const mebibytes = (weights: readonly Weight[]): string => {
    const bytes = weights.map((weight) => (weight instanceof QuantizedMatrix ? weight.byteLength : 4 * weight.size));
    return (bytes.reduce((sum, own) => sum + own, 0) / 2 ** 20).toFixed(1);
  };
  const [now, then] = [mebibytes(Object.values(after.weights)), mebibytes(Object.values(before.weights))];
  return `${few.length} of ${matrices.length} matrices in few bits, ${now} MiB of ${then} MiB in float32\n`;
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('A positive number is wanted.');
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new UserLlmError('unreadable-file', {
      what: path,
      expected: 'a text',
      got: cause instanceof Error ? cause.message : String(cause),
      mend: 'Check the path.',
      cause,
    });
  });
}

function missingTokenizer(path: string): UserLlmError {
  return new UserLlmError('bad-tokenizer', {
    what: path,
    expected: 'a tokenizer, which --check reads a text with',
    got: 'none',
    mend: 'Put the tokenizer.json of the model beside the weights, or leave --check out.',
  });
}

/** An agreement as two lines for people. */
export function formatAgreement({ tokens, greedy, perplexity: [before, after] }: Agreement): string {
  return [
    `likeliest token the same at ${(100 * greedy).toFixed(1)}% of ${tokens} tokens`,
    `perplexity ${after.toFixed(3)}, before ${before.toFixed(3)} (${(after / before).toFixed(3)} times)`,
    '',
  ].join('\n');
}

function requireAgreement({ greedy, perplexity: [before, after] }: Agreement, bounds: Bounds): void {
  const times = after / before;
  if (greedy >= bounds.agreement && times <= bounds.perplexity) return;
  throw new UserLlmError('too-far', {
    what: 'quantized model',
    expected: `${100 * bounds.agreement}% of likeliest tokens the same, at most ${bounds.perplexity} times the perplexity`,
    got: `${(100 * greedy).toFixed(1)}%, ${times.toFixed(3)} times`,
    mend: 'Take --bits 8, or allow more with --least-agreement and --most-perplexity. Nothing was written.',
  });
}
