import { flattenParameters, type ParameterTree } from '@user-llm/graph';
import { elements } from '@user-llm/tensor';
import { parameterGroup, type ParameterGroupName } from '@user-llm/user-llm';

/** What each strategy trains (arXiv 2402.13598, section on training; paper.md's table): parts of the model by name. */
const strategies = {
  /** LLM, encoder and everything between. */
  full: ['encoder', 'compressor', 'fusion', 'lora', 'llm'],
  /** Low-rank adapters on the LLM instead of the LLM itself. */
  lora: ['encoder', 'compressor', 'fusion', 'lora'],
  /** The LLM stays as it is. */
  enc: ['encoder', 'compressor', 'fusion'],
  /** LLM and encoder stay as they are. */
  proj: ['compressor', 'fusion'],
} as const satisfies Readonly<Record<string, readonly ParameterGroupName[]>>;

/** Which parameters tuning trains. */
export type Strategy = keyof typeof strategies;

/** All strategies. */
export const strategyNames = Object.keys(strategies) as readonly Strategy[] as [Strategy, ...Strategy[]];

/** Whether a strategy trains a parameter, by its full name. */
export function trainedBy(strategy: Strategy): (name: string) => boolean {
  const groups: readonly ParameterGroupName[] = strategies[strategy];
  return (name) => groups.includes(parameterGroup(name));
}

/** How many numbers of a part of the model a stage trains. */
export interface TrainedCounts {
  readonly group: ParameterGroupName;
  /** Numbers that move. */
  readonly trained: number;
  /** Numbers that the loss reads and that stay as they are. */
  readonly frozen: number;
  /** Numbers that the loss does not read. */
  readonly unused: number;
}

/** Counts trained, frozen and unused numbers of each part of a model. */
export function countTrained(
  parameters: ParameterTree,
  { trained, frozen }: { readonly trained: readonly string[]; readonly frozen: readonly string[] },
): TrainedCounts[] {
  const moving = new Set(trained);
  const still = new Set(frozen);
  const counts = new Map<ParameterGroupName, { trained: number; frozen: number; unused: number }>();
  for (const [name, { shape }] of flattenParameters(parameters)) {
    const group = parameterGroup(name);
    const count = counts.get(group) ?? { trained: 0, frozen: 0, unused: 0 };
    count[moving.has(name) ? 'trained' : still.has(name) ? 'frozen' : 'unused'] += elements(shape);
    counts.set(group, count);
  }
  return [...counts].map(([group, count]) => ({ group, ...count }));
}

/** The counts as a table of text, with a line that sums them up. */
export function formatTrained(counts: readonly TrainedCounts[]): string {
  const sum = (kind: 'trained' | 'frozen' | 'unused') => counts.reduce((total, count) => total + count[kind], 0);
  const all = [...counts, { group: 'all', trained: sum('trained'), frozen: sum('frozen'), unused: sum('unused') }];
  const number = (n: number) => n.toLocaleString('en-US').padStart(14);
  const lines = all.map(({ group, trained, frozen, unused }) =>
    [group.padEnd(12), number(trained), number(frozen), number(unused)].join(''),
  );
  const head = ['parameters'.padEnd(12), ...['trained', 'frozen', 'unused'].map((name) => name.padStart(14))].join('');
  return [head, ...lines, ''].join('\n');
}
