import type { LinearMap } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

function patternOf(target: string): RegExp {
  const escaped = target.split('*').map((text) => text.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^(.*\\.)?${escaped.join('.*')}$`);
}

/**
 * The linear maps that targets name, in the LLM's order.
 *
 * @param targets Whole names, or their ends from a dot on; `*` stands for any characters.
 * @throws UserLlmError `unknown-target` when a target names none, listing the ends of those there are.
 */
export function loraTargets(targets: readonly string[], linearMaps: Readonly<Record<string, LinearMap>>): string[] {
  const names = Object.keys(linearMaps);
  const patterns = targets.map(patternOf);
  patterns.forEach((pattern, at) => {
    if (names.some((name) => pattern.test(name))) return;
    const ends = new Set(names.map((name) => name.slice(name.lastIndexOf('.') + 1)));
    throw new UserLlmError('unknown-target', {
      what: `LoRA target ${JSON.stringify(targets[at])}`,
      expected: `names of linear maps of the LLM, such as ${[...ends].join(', ') || 'none, since it has none'}`,
      got: 'a name of none of them',
      mend: `Whole names look like ${names[0] ?? 'none'}.`,
    });
  });
  return names.filter((name) => patterns.some((pattern) => pattern.test(name)));
}
