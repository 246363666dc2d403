import { multiply, slice, type Float } from '@user-llm/graph';
import type { HiddenStates, LanguageModelHooks } from '@user-llm/plugin';
import { demand } from '@user-llm/plugin/testing';
import type { BenchCheck } from './family-checks.js';
import { difference, type ModelBench } from './model-bench.js';
import { demandClose } from './reading-checks.js';

const tokens = 6;

/** Logits at the last token of a row. */
async function last(bench: ModelBench, row: readonly number[], hooks?: LanguageModelHooks): Promise<Float32Array> {
  const [logits] = await bench.logits([row], () => hooks);
  return logits!.at(-1)!;
}

/** Where others enter. */
export const hookChecks: Readonly<Record<string, BenchCheck>> = {
  'hooks that change nothing change nothing': async (bench) => {
    const row = bench.tokens(tokens);
    const plain = await last(bench, row);
    demandClose(await last(bench, row, {}), plain, 'logits with empty hooks');
    const identity: LanguageModelHooks = {
      afterSelfAttention: (hidden) => hidden,
      linear: (_name, _x, mapped) => mapped,
    };
    demandClose(await last(bench, row, identity), plain, 'logits with hooks that return what they are given');
  },
  'embeddings of tokens as a prefix read as these tokens do': async (bench) => {
    const row = bench.tokens(tokens);
    const [wanted] = await bench.logits([row]);
    const rest = row.slice(2);
    const { llm } = bench;
    const { logits } = await bench.run([row], (tree, ids) => {
      // The first two tokens as a prefix of the others.
      const [first, others] = [slice(ids, 'token', 0, 2), slice(ids, 'token', 2)];
      return { logits: llm.apply(tree, { tokens: others, hooks: { prefix: llm.embed(tree, first) } }) };
    });
    demand(
      logits!.shape[1] === rest.length,
      'tokens that come out',
      `${rest.length}, without the prefix`,
      `${logits!.shape[1]}`,
    );
    demandClose(
      logits!.data,
      wanted!.slice(2).flatMap((own) => [...own]),
      'logits behind a prefix',
    );
  },
  'after self-attention each layer calls once, in order, and goes on with what comes back': async (bench) => {
    const row = bench.tokens(tokens);
    const plain = await last(bench, row);
    const called: number[] = [];
    const count = (hidden: HiddenStates, layer: number): HiddenStates => {
      called.push(layer);
      return hidden;
    };
    await last(bench, row, { afterSelfAttention: count });
    const layers = Array.from({ length: bench.llm.layers }, (_, layer) => layer);
    demand(`${called}` === `${layers}`, 'layers that call', layers.join(', '), called.join(', '));
    for (const layer of layers) {
      const changed = await last(bench, row, {
        afterSelfAttention: (hidden, at) => (at === layer ? multiply(hidden, 1.5) : hidden),
      });
      demand(difference(changed, plain) > 1e-4, `logits when layer ${layer} is given more`, 'others', 'the same');
    }
  },
  'each linear map calls once, and goes on with what comes back': async (bench) => {
    const row = bench.tokens(tokens);
    const plain = await last(bench, row);
    const { linearMaps } = bench.llm;
    const called: string[] = [];
    await last(bench, row, {
      linear: (name, x, mapped) => {
        called.push(name);
        const sizes = `${x.shape[2]} to ${mapped.shape[2]}`;
        const told = linearMaps[name];
        demand(
          sizes === `${told?.inputs} to ${told?.outputs}`,
          `linear ${name}`,
          `${told?.inputs} to ${told?.outputs}`,
          sizes,
        );
        return mapped;
      },
    });
    const names = Object.keys(linearMaps);
    demand(
      `${[...called].sort()}` === `${[...names].sort()}`,
      'linear maps that call',
      names.join(', '),
      called.join(', '),
    );
    const changed = await last(bench, row, {
      linear: (_name, _x, mapped) => multiply(mapped as Float, 1.5) as typeof mapped,
    });
    demand(difference(changed, plain) > 1e-4, 'logits when linear maps are given more', 'others', 'the same');
  },
};
