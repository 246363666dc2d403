import {
  add,
  cast,
  divide,
  matmul,
  maximum,
  mean,
  multiply,
  parameter,
  rename,
  reshape,
  stopGradient,
  sum,
  where,
  type Float,
} from '@user-llm/graph';
import { describe, expect, it } from 'vitest';
import type { Fusion, FusionModule, HiddenStates, UserContext, UserLatents } from '../src/index.js';
import { fusionChecks } from '../src/testing/index.js';

type Wrong =
  | 'reads masked latents'
  | 'mixes users'
  | 'counts nobody'
  | 'starts loud'
  | 'hears nothing'
  | 'keeps a context without users'
  | 'keeps less than it reads'
  | 'does otherwise in one'
  | 'narrows hidden states'
  | 'learns nothing';

type Own = { readonly gate: Float<readonly ['userWidth', 'modelWidth']> };

/** Adds what a gated map makes of the mean latent to every hidden state, right but for what `wrong` names. */
function fusion(wrong?: Wrong): Fusion {
  return {
    specVersion: 1,
    name: 'added',
    config: { '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value }) } },
    build: (_, { userWidth, modelWidth }): FusionModule => {
      let kept: Float | undefined;
      const context = ({ gate }: Own, { latents, mask }: UserLatents): UserContext => {
        const open = wrong === 'reads masked latents' ? latents : where(mask, latents, 0);
        const heard = wrong === 'hears nothing' ? multiply(open, 0) : open;
        const count = sum(cast(mask, 'float32') as Float, 'latent') as Float;
        const own = divide(sum(heard as Float, 'latent') as Float, maximum(count, 1)) as Float;
        const whole = wrong === 'mixes users' ? add(own, mean(own) as Float) : own;
        const some = wrong === 'counts nobody' ? add(whole, 1) : whole;
        const read = matmul(
          some as Float<readonly ['batch', 'userWidth']>,
          wrong === 'learns nothing' ? stopGradient(gate) : gate,
        ) as Float;
        kept = read;
        return wrong === 'keeps a context without users' ? { read: rename(read as never, 'batch', 'user') } : { read };
      };
      const hooks: FusionModule['hooks'] = (_own, given: UserContext) => ({
        afterSelfAttention: (hidden, layer) => {
          const read = (wrong === 'keeps less than it reads' ? kept! : given['read']!) as Float;
          const size = hidden.shape[0]!;
          const added = add(hidden, reshape(read, ['batch', 'token', 'modelWidth'], [size, 1, modelWidth]) as never);
          return (
            wrong === 'narrows hidden states' && layer === 3 ? rename(added as never, 'token', 'place') : added
          ) as HiddenStates;
        },
      });
      const value = wrong === 'starts loud' ? 1 : 0;
      return {
        parameters: {
          gate: parameter(['userWidth', 'modelWidth'], [userWidth, modelWidth], { kind: 'constant', value }),
        },
        context,
        hooks,
        apply: (own: Own, users: UserLatents) => {
          const read = context(own, users);
          const doubled = { read: multiply(read['read'] as Float, 2) };
          return hooks(own as never, wrong === 'does otherwise in one' ? doubled : read);
        },
      };
    },
  };
}

const claims = { startsAsIdentity: true, readsOrder: false } as const;

describe('fusionChecks', () => {
  for (const check of fusionChecks(fusion(), {}, claims))
    it(`accepts a fusion that is right: ${check.name}`, () => check.run());

  it.each([
    ['reads masked latents', 'masked latents are not read'],
    ['mixes users', 'users of a batch do not read each other'],
    ['counts nobody', 'a user with no events changes no hidden state at all'],
    ['starts loud', 'not trained yet, it leaves the LLM as it is'],
    ['hears nothing', 'the user is read'],
    ['keeps a context without users', 'what is computed once per user has the users along its first axis'],
    ['does otherwise in one', 'both in one is what it does in two'],
    ['narrows hidden states', 'leaves hidden states their shape, and gives a prefix as wide as the LLM'],
    ['learns nothing', 'has finite slopes to learn from, from the start'],
  ] as const)('refuses one that %s', async (wrong, name) => {
    const check = fusionChecks(fusion(wrong), {}, claims).find((each) => each.name === name);
    await expect(check!.run()).rejects.toMatchObject({ code: 'not-conforming' });
  });

  it('refuses one that keeps less than it reads', async () => {
    const check = fusionChecks(fusion('keeps less than it reads'), {}, claims).find(({ name }) =>
      name.startsWith('reads a context'),
    );
    await expect(check!.run()).rejects.toThrow();
  });

  it('refuses claims that do not hold', async () => {
    const check = fusionChecks(fusion(), {}, { ...claims, readsOrder: true });
    await expect(check.find(({ name }) => name === 'the order of latents shows')!.run()).rejects.toMatchObject({
      code: 'not-conforming',
    });
  });
});
