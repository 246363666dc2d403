import { concat } from '@user-llm/graph';
import type { HiddenStates, LanguageModelHooks } from '@user-llm/plugin';

type Defined<K extends keyof LanguageModelHooks> = NonNullable<LanguageModelHooks[K]>;

/**
 * Several sets of hooks as one: prefixes stand one after the other, and each function gets what the one before gave.
 *
 * @param hooks In the order in which they enter; absent ones are left out.
 */
export function joinHooks(...hooks: readonly (LanguageModelHooks | undefined)[]): LanguageModelHooks {
  const prefixes = hooks.flatMap((each): HiddenStates[] => (each?.prefix ? [each.prefix] : []));
  const after = hooks.flatMap((each): Defined<'afterSelfAttention'>[] =>
    each?.afterSelfAttention ? [each.afterSelfAttention.bind(each)] : [],
  );
  const linear = hooks.flatMap((each): Defined<'linear'>[] => (each?.linear ? [each.linear.bind(each)] : []));
  const [first, ...others] = prefixes;
  return {
    ...(first && { prefix: others.length > 0 ? concat([first, ...others], 'token') : first }),
    ...(after.length > 0 && {
      afterSelfAttention: (hidden: HiddenStates, layer: number) => after.reduce((x, hook) => hook(x, layer), hidden),
    }),
    ...(linear.length > 0 && {
      linear: ((name, x, mapped) => linear.reduce((y, hook) => hook(name, x, y), mapped)) as Defined<'linear'>,
    }),
  };
}
