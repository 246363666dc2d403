import { Command, InvalidArgumentError, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { createDecoder, loadLanguageModel } from '@user-llm/llm';
import { OnnxRuntime } from '@user-llm/runtime-onnx';
import { UserLlmError } from '@user-llm/tensor';
import { loadPlugins, userLlmRegistry } from '@user-llm/user-llm';
import { checkParity, withinTolerance, type CaseParity, type Parity } from './parity/check-parity.js';
import { readGoldenFile } from './parity/golden-file.js';
import { progressLine } from './progress.js';

const help = `
What a golden file says, as JSON, made with the reference implementation of the same checkpoint:
  { "cases": [{ "ids": [6403, 1980],                          tokens of a prompt
                "top5": [{ "id": 28, "logit": 18.14 }, ...],  largest logits behind it, largest first
                "greedy": [28, 260, ...] }],                  tokens that follow, the likeliest each time, 16 or so
    "loss": { "ids": [...], "value": 3.757 } }                optional: mean negative log-likelihood of a text

With Hugging Face transformers, for a tensor ids of one prompt, [1, tokens]:
  logits = model(ids).logits[0, -1].float(); top5 = logits.topk(5)
  greedy = model.generate(ids, do_sample=False, max_new_tokens=32, eos_token_id=None)[0, ids.shape[1]:]
  value = model(ids, labels=ids).loss
Compute it in float32, and from the same weights: for a quantised checkpoint from the dequantised ones.

A difference of logits counts by its share of the largest logit. Greedy tokens may part where the two logits are that
close. Exit codes: 0 all within the tolerance, 1 not, or failed, 2 wrong usage, 130 stopped by Ctrl-C.

Examples:
  $ user-llm-evaluate parity --llm models/SmolLM2-135M-Instruct --golden golden.json
  $ user-llm-evaluate parity --llm models/model.gguf --golden golden.json --tolerance 0.001
  $ user-llm-evaluate parity --llm models/ours --golden golden.json --plugin ./our-family.mjs`;

/** `parity`: whether an LLM's checkpoint gives the numbers of its reference. */
export function parityCommand(signal: AbortSignal): CommandUnknownOpts {
  return new Command('parity')
    .description('compare the logits and greedy tokens of an LLM with those of a reference')
    .requiredOption('--llm <path>', "the LLM's checkpoint: a folder or a file, as user-llm-train takes it")
    .requiredOption('--golden <file>', 'what the reference says, as JSON')
    .option('--tolerance <share>', 'largest difference, as a share of the largest logit', tolerance, 1e-4)
    .option(
      '--plugin <module>',
      'plugin with families of LLMs: a path that starts with ./ or /, or a package; can be repeated',
      (module: string, before: readonly string[]) => [...before, module],
      [] as readonly string[],
    )
    .addHelpText('after', help)
    .action(async (flags) => {
      const golden = await readGoldenFile(flags.golden);
      const progress = progressLine(process.stderr);
      progress.say('loading the LLM');
      const registry = userLlmRegistry(await loadPlugins(flags.plugin));
      const families = [...registry.all('llms').values()];
      const { family, config, weights } = await loadLanguageModel(flags.llm, { families, withTokenizer: false });
      const llm = registry.get('llms', family).build(config);
      const runtime = await OnnxRuntime.create();
      try {
        const stepper = createDecoder({ llm, weights, runtime });
        const parity = await checkParity(stepper, golden, { signal, say: progress.say }).finally(() =>
          stepper.dispose(),
        );
        progress.end();
        process.stdout.write(parityTable(parity, flags.tolerance));
        if (!withinTolerance(parity, flags.tolerance)) throw beyond(flags.llm, flags.tolerance);
      } finally {
        progress.end();
        await runtime.dispose();
      }
    });
}

function parityTable({ cases, loss }: Parity, allowed: number): string {
  const lines = cases.map((own, at) => {
    const verdict = withinTolerance({ cases: [own] }, allowed) ? 'ok  ' : 'FAIL';
    return `${verdict} case ${at + 1}, ${own.tokens} tokens: largest difference ${tell(own.difference)} (${tell(own.relative)} of the largest logit), ${greedyOf(own)}`;
  });
  if (loss) {
    const verdict = loss.relative <= allowed ? 'ok  ' : 'FAIL';
    lines.push(`${verdict} loss ${loss.found.toFixed(6)}, expected ${loss.expected} (${tell(loss.relative)} apart)`);
  }
  const largest = Math.max(...cases.map(({ relative }) => relative));
  lines.push(`largest difference ${tell(largest)} of the largest logit, tolerance ${tell(allowed)}`);
  return `${lines.join('\n')}\n`;
}

function greedyOf({ greedy, agreeing, preference }: CaseParity): string {
  if (preference === undefined) return `all ${greedy} greedy tokens agree`;
  return `greedy tokens agree up to ${agreeing} of ${greedy}, where another is preferred by ${tell(preference)}`;
}

const tell = (value: number): string => value.toExponential(1);

function beyond(path: string, allowed: number): UserLlmError {
  return new UserLlmError('not-at-parity', {
    what: path,
    expected: `the numbers of the reference, within ${tell(allowed)} of the largest logit`,
    got: 'others',
    mend: 'Check that the golden file was made with the same weights, in float32; allow more by --tolerance for weights of fewer bits.',
  });
}

function tolerance(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('It must be a number from 0, such as 0.0001.');
}
