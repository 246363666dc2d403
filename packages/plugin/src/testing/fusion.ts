import { input, multiply, sum, type Float, type NamedTensors, type Symbolic } from '@user-llm/graph';
import { Random, Tensor } from '@user-llm/tensor';
import type { Fusion, FusionModule, FusionSizes } from '../fusion.js';
import type { HiddenStates, LanguageModelHooks } from '../language-model.js';
import { demand, type Check } from './check.js';
import {
  asArray,
  check,
  demandDifferent,
  demandEqual,
  demandFinite,
  demandType,
  firstValues,
  opened,
  run,
  shakenValues,
  slopes,
  validated,
  type Arrays,
  type Tensors,
} from './model-part.js';

/** What a fusion says of itself. */
export interface FusionClaims {
  /** Whether a fusion that is not trained yet leaves the LLM as it is, bit for bit. */
  readonly startsAsIdentity: boolean;
  /** Whether it matters in which order the latents stand. */
  readonly readsOrder: boolean;
  /** What it is tried on; widths of 8 and 16 and four layers unless told. */
  readonly sizes?: FusionSizes;
}

/** Three users of three latents: one who has all, one with the last masked, one with all masked. */
const users = 3;
const latents = 3;
const tokens = 4;
const masked = [
  [1, 1, 1],
  [1, 1, 0],
  [0, 0, 0],
];

const normal = (axes: readonly string[], shape: readonly number[], seed: number): Tensor => {
  const numbers = new Float32Array(shape.reduce((product, size) => product * size, 1));
  return new Tensor('float32', axes, shape, Random.fromSeed(seed).normal(numbers)) as Tensor;
};

/**
 * What every fusion must do: compute once per user what every step reads, with the users along the first axis; leave
 * hidden states their shape; read no masked latent and no other user; change nothing for a user with no events; keep to
 * what it says of the order of latents and of its start; and have slopes to learn from.
 *
 * @param config As it is written.
 */
export function fusionChecks(
  fusion: Fusion,
  config: unknown,
  { startsAsIdentity, readsOrder, sizes = { userWidth: 8, modelWidth: 16, layers: 4 } }: FusionClaims,
): readonly Check[] {
  const build = (): FusionModule => fusion.build(validated(fusion, config), sizes);
  const { userWidth, modelWidth } = sizes;
  const usual: Tensors = {
    latents: normal(['batch', 'latent', 'userWidth'], [users, latents, userWidth], 1),
    mask: new Tensor('bool', ['batch', 'latent'], [users, latents], Uint8Array.from(masked.flat())) as Tensor,
    hidden: normal(['batch', 'token', 'modelWidth'], [users, tokens, modelWidth], 2),
  };
  /** The usual latents with other numbers at some places, such as no norm takes back. */
  const changed = (at: (user: number, latent: number) => boolean): Tensors => {
    const { axes, shape, data } = usual['latents']!;
    const moved = (data as Float32Array).map((value, index) => {
      const place = Math.floor(index / userWidth);
      return at(Math.floor(place / latents), place % latents) ? value + 3 * (-1) ** index : value;
    });
    return { ...usual, latents: new Tensor('float32', axes, shape, moved) as Tensor };
  };
  /** What an LLM would read of users: hidden states after all layers, and the prefix where there is one. */
  const read = (module: FusionModule, given = usual, values = shakenValues(module)): Arrays => {
    const { all, named, hooks, hidden } = fused(module, sizes);
    return run([...all, ...Object.values(named)], outputsOf(hooks, hidden, sizes), { ...given, ...values });
  };
  const ofUser = (array: Arrays[string], user: number): Float64Array => {
    const size = array.data.length / users;
    return Float64Array.from(array.data.slice(user * size, (user + 1) * size));
  };
  const demandSame = (what: string, got: Arrays, expected: Arrays, of?: number): void => {
    for (const [name, array] of Object.entries(expected)) {
      const [one, other] = [got[name]!, array].map((each) => (of === undefined ? each.data : ofUser(each, of)));
      demandEqual(`${what}: ${name}`, one!, other!);
    }
  };
  return [
    check('leaves hidden states their shape, and gives a prefix as wide as the LLM', () => {
      const { hooks, hidden } = fused(build(), sizes);
      const { after, prefix } = outputsOf(hooks, hidden, sizes);
      demandType('hidden states', after!, hidden);
      if (!prefix) return;
      const expected = { ...hidden, shape: [users, prefix.shape[1]!, modelWidth] };
      demandType('prefix', prefix, expected);
    }),
    check('what is computed once per user has the users along its first axis', () => {
      const module = build();
      const { context } = fused(module, sizes);
      demand(Object.keys(context).length > 0, 'context', 'tensors', 'none');
      for (const [name, { axes, shape }] of Object.entries(context)) {
        demand(axes[0] === 'batch', `context ${name}`, 'a first axis batch', axes.join(', '));
        demand(shape[0] === users, `context ${name}`, `${users} users`, String(shape[0]));
      }
    }),
    check('reads a context that was kept as one that it computes in every step', () => {
      const module = build();
      const { all, named, context } = fused(module, sizes);
      const values = shakenValues(module);
      const kept = run([...all, ...Object.values(named)], context, { ...usual, ...values });
      const inputs = Object.entries(context).map(
        ([name, { dtype, axes, shape }]) =>
          [name, input(`kept/${name}`, dtype, axes, shape as never) as Symbolic] as const,
      );
      const hidden = hiddenInput(sizes);
      const { tree, named: again } = opened(module);
      const hooks = module.hooks(tree, Object.fromEntries(inputs));
      const feeds = Object.fromEntries(Object.entries(kept).map(([name, array]) => [`kept/${name}`, array]));
      const found = run(
        [hidden, ...inputs.map(([, tensor]) => tensor), ...Object.values(again)],
        outputsOf(hooks, hidden, sizes),
        { ...values, ...feeds, hidden: asArray(usual['hidden']!) },
      );
      demandSame('kept', found, read(module));
    }),
    check('both in one is what it does in two', () => {
      const module = build();
      const { all, named, tree, users: given, hidden } = fused(module, sizes);
      const outputs = outputsOf(module.apply(tree, given), hidden, sizes);
      const found = run([...all, ...Object.values(named)], outputs, { ...usual, ...shakenValues(module) });
      demandSame('apply', found, read(module));
    }),
    check('the user is read', () => {
      const module = build();
      const [before, after] = [
        read(module),
        read(
          module,
          changed((user, latent) => user === 0 && latent === 1),
        ),
      ];
      const said = (arrays: Arrays): number[] => Object.values(arrays).flatMap((array) => Array.from(ofUser(array, 0)));
      demandDifferent('what the LLM reads of another user', said(after), said(before));
    }),
    check('masked latents are not read', () => {
      const module = build();
      demandSame(
        'masked latents changed',
        read(
          module,
          changed((user, latent) => masked[user]![latent] === 0),
        ),
        read(module),
      );
    }),
    check('users of a batch do not read each other', () => {
      const module = build();
      const after = read(
        module,
        changed((user) => user === 1),
      );
      for (const other of [0, 2]) demandSame(`user ${other}`, after, read(module), other);
    }),
    check('a user with no events changes no hidden state at all', () => {
      const after = ofUser(read(build())['after']!, 2);
      const before = ofUser(asArray(usual['hidden']!), 2);
      const off = after.findIndex((value, at) => !Object.is(value, before[at]));
      demand(off < 0, 'hidden states', 'the same bits', `${after[off]} instead of ${before[off]}`);
    }),
    ...(startsAsIdentity
      ? [
          check('not trained yet, it leaves the LLM as it is', () => {
            const module = build();
            const found = read(module, usual, firstValues(module));
            demand(found['prefix'] === undefined, 'prefix', 'none', 'one');
            const before = asArray(usual['hidden']!).data;
            const off = Array.from(found['after']!.data).findIndex((value, at) => !Object.is(value, before[at]));
            demand(off < 0, 'hidden states', 'the same bits', `others from element ${off}`);
          }),
        ]
      : []),
    check(`the order of latents ${readsOrder ? 'shows' : 'does not show'}`, () => {
      const module = build();
      const { axes, shape, data } = usual['latents']!;
      const turned = Float32Array.from({ length: latents * userWidth }, (_, at) => {
        const latent = Math.floor(at / userWidth);
        return (data as Float32Array)[(latents - 1 - latent) * userWidth + (at % userWidth)]!;
      });
      const whole = (data as Float32Array).slice();
      whole.set(turned, 0);
      const after = read(module, { ...usual, latents: new Tensor('float32', axes, shape, whole) as Tensor });
      const said = (arrays: Arrays): number[] => Object.values(arrays).flatMap((array) => Array.from(ofUser(array, 0)));
      if (readsOrder) demandDifferent('latents turned round', said(after), said(read(module)));
      else demandEqual('latents turned round', said(after), said(read(module)));
    }),
    check('has finite slopes to learn from, from the start', () => {
      const module = build();
      const { all, named, hooks, hidden } = fused(module, sizes);
      const { after, prefix } = outputsOf(hooks, hidden, sizes);
      const weights = input('weights', 'float32', ['token', 'modelWidth'], [tokens, modelWidth]);
      const weighted = sum(multiply(after as Float, weights as Float) as Float);
      const loss = prefix ? sum(prefix as Float) : weighted;
      const feeds = {
        ...usual,
        ...firstValues(module),
        weights: normal(['token', 'modelWidth'], [tokens, modelWidth], 7),
      };
      const found = run([...all, weights, ...Object.values(named)], slopes(loss, named), feeds);
      for (const [name, { data }] of Object.entries(found)) demandFinite(name, data);
      const some = Object.values(found).some(({ data }) => data.some((slope) => slope !== 0));
      demand(some, 'slopes', 'some that are not 0', 'none');
    }),
  ];
}

const hiddenInput = ({ modelWidth }: FusionSizes): HiddenStates =>
  input('hidden', 'float32', ['batch', 'token', 'modelWidth'], [users, tokens, modelWidth]);

/** A fusion of users in a graph. */
function fused(module: FusionModule, sizes: FusionSizes) {
  const all = {
    latents: input('latents', 'float32', ['batch', 'latent', 'userWidth'], [users, latents, sizes.userWidth]),
    mask: input('mask', 'bool', ['batch', 'latent'], [users, latents]),
  };
  const hidden = hiddenInput(sizes);
  const { tree, named } = opened(module);
  const context = module.context(tree, all);
  return {
    all: [all.latents, all.mask, hidden] as readonly Symbolic[],
    users: all,
    tree,
    named,
    context,
    hooks: module.hooks(tree, context),
    hidden,
  };
}

/** The hidden states that all layers of an LLM which does nothing else would leave, and the prefix. */
function outputsOf(hooks: LanguageModelHooks, hidden: HiddenStates, { layers }: FusionSizes): NamedTensors {
  const numbers = Array.from({ length: layers }, (_, layer) => layer);
  const after = numbers.reduce((x, layer) => hooks.afterSelfAttention?.(x, layer) ?? x, hidden);
  return { after, ...(hooks.prefix && { prefix: hooks.prefix }) };
}
