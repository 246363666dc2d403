import type { PipelineStep } from '../tokenizer-json.js';

/** A text that a step must have. */
export function textOf(step: PipelineStep, field: string, otherwise?: string): string {
  const value = step[field] ?? otherwise;
  if (typeof value === 'string') return value;
  throw new Error(`a ${step.type} without the text ${field}`);
}

/** The steps that a sequence is made of. */
export function stepsOf(step: PipelineStep, field: string): readonly PipelineStep[] {
  const steps = step[field];
  if (Array.isArray(steps) && steps.every((own) => typeof (own as PipelineStep | null)?.type === 'string'))
    return steps as PipelineStep[];
  throw new Error(`a ${step.type} without ${field}`);
}

/** The entry of a table of kinds that makes a step. */
export function kindOf<T>(kinds: Readonly<Record<string, T>>, what: string, { type }: PipelineStep): T {
  const kind = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (kind !== undefined) return kind;
  throw new Error(`a ${what} of the kind ${type}; known are ${Object.keys(kinds).join(', ')}`);
}
