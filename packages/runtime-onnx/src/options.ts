import { availableParallelism } from 'node:os';
import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';

const count = z.int().min(1);
const text = z
  .string()
  .min(1)
  .refine((value) => !value.includes('\0'), 'must have no NUL');
const settings = z.record(text, text.or(z.literal('')));

/** What a runtime may be told; `OnnxRuntimeOptions` says what it means. */
const runtimeOptions = z
  .strictObject({
    library: text,
    engine: z.enum(['c-api', 'package']),
    parallelRuns: count,
    warn: z.custom((value) => typeof value === 'function', 'must be a function'),
    pendingRuns: count,
    intraOpThreads: count.max(256),
    interOpThreads: count.max(256),
    graphOptimization: z.enum(['none', 'basic', 'extended', 'all']),
    // Which names there are is said with those that are present, by `unavailable-provider`.
    providers: z.array(text.or(z.strictObject({ name: text, options: settings.optional() }))).min(1),
    profile: text,
    optimizedModel: text,
    memoryArena: z.boolean(),
    memoryPattern: z.boolean(),
    config: settings,
  })
  .partial()
  .refine(({ engine, library }) => engine !== 'package' || library === undefined, {
    path: ['library'],
    error: 'must be left away for the package, which brings its own',
  });

/**
 * Checks what types alone cannot, and what callers without types may give.
 *
 * @throws UserLlmError `bad-options`, which names every option that is unknown, out of its range or not of its type.
 */
export function requireOptions(options: unknown): void {
  const { error } = runtimeOptions.safeParse(options);
  if (!error) return;
  throw new UserLlmError('bad-options', {
    what: 'options of runtime-onnx',
    expected: `options among ${Object.keys(runtimeOptions.shape).join(', ')}, each in its range`,
    got: z.prettifyError(error),
    cause: error,
  });
}

/**
 * ONNX Runtime's settings under which threads beyond the processors sleep while they wait: by default they spin, and
 * keep those that have work from it.
 */
export function threadSettings(
  { intraOpThreads = 1, interOpThreads = 1 }: { readonly intraOpThreads?: number; readonly interOpThreads?: number },
  processors = availableParallelism(),
): Readonly<Record<string, string>> {
  return {
    ...(intraOpThreads > processors && { 'session.intra_op.allow_spinning': '0' }),
    ...(interOpThreads > processors && { 'session.inter_op.allow_spinning': '0' }),
  };
}
