import { UserLlmError } from '@user-llm/tensor';
import {
  definePlugin,
  partFunctions,
  partName,
  seamNames,
  type Plugin,
  type SeamName,
  type Seams,
} from './define-plugin.js';
import { moduleDemands, tensorText, unmet, type ModuleDemands } from './module-demands.js';

/** Who is called. */
interface Called {
  readonly plugin: string;
  readonly seam: SeamName;
  readonly part: string;
}

type Loose = Readonly<Record<string, unknown>>;
type Call = (this: unknown, ...given: unknown[]) => unknown;
/** What becomes of a result, by the function that gave it and what that was given. */
type After = (method: string, result: unknown, given: readonly unknown[]) => unknown;

/** Seams whose parts build modules: what goes wrong on symbolic tensors inside of one is its own fault. */
const modelSeams: readonly SeamName[] = ['encoders', 'compressors', 'fusions', 'llms', 'optimizers'];

/** Objects beside a part's or module's functions that have functions of their own. */
const nested: Readonly<Record<string, readonly string[]>> = {
  appender: ['append'],
  checkpoints: ['fromHuggingFace', 'toHuggingFace', 'stateDict', 'asHuggingFaceHasIt'],
};

/**
 * A plugin whose failures say who failed: what a part's function throws becomes `plugin-failed` with the plugin, the seam,
 * the part and the cause, and so does a module that does not have or give what its seam asks for, such as scores of other
 * axes or widths. What a part refuses on purpose stays as it is: a `bad-config` of a part of a model, and any
 * `UserLlmError` of the others.
 *
 * @throws UserLlmError `bad-plugin` as `definePlugin`.
 */
export function guardPlugin(plugin: Plugin): Plugin {
  definePlugin(plugin);
  const guarded = seamNames.flatMap((seam) => {
    const parts = plugin[seam] as readonly Seams[SeamName][] | undefined;
    return parts ? [[seam, parts.map((part) => guardPart(plugin.name, seam, part))] as const] : [];
  });
  return { ...plugin, ...Object.fromEntries(guarded) };
}

function guardPart(plugin: string, seam: SeamName, part: Seams[SeamName]): Seams[SeamName] {
  const called = { plugin, seam, part: partName(seam, part) };
  return guard(called, part, partFunctions(seam), (method, result, given) => {
    if (method !== 'build') return result;
    const module = (result ?? {}) as Loose;
    const demands = moduleDemands(seam, module, given[1]);
    requireModule(called, module, demands);
    return guard(called, module, [...demands.functions, ...Object.keys(demands.results)], (name, made) => {
      const wrong = demands.results[name]?.((made ?? {}) as Loose).find(unmet);
      if (wrong) throw failed(called, name, { expected: wrong.expected, got: tensorText(wrong.tensor) });
      const isHooks = seam === 'fusions' && name !== 'context';
      return isHooks ? guard(called, made as object, ['afterSelfAttention', 'linear']) : made;
    });
  });
}

/** The object with these functions guarded, where it has them. */
function guard<T extends object>(
  called: Called,
  object: T,
  names: readonly string[],
  after: After = (_, result) => result,
): T {
  const functions = names.filter((name) => typeof (object as Loose)[name] === 'function');
  const calls = functions.map((name) => [name, guardCall(called, name, object, after)] as const);
  const inner = Object.entries(nested).flatMap(([name, own]) => {
    const found = (object as Loose)[name];
    return found ? [[name, guard(called, found as object, own)] as const] : [];
  });
  const replaced = new Map<PropertyKey, unknown>([...calls, ...inner]);
  // A proxy has to give back what a frozen object has.
  return new Proxy(Object.isFrozen(object) ? { ...object } : object, {
    get: (target, key) => replaced.get(key) ?? Reflect.get(target, key, target),
  });
}

function guardCall(called: Called, method: string, object: object, after: After): Call {
  const own = (object as Readonly<Record<string, Call>>)[method]!;
  return (...given) => {
    try {
      const result = own.apply(object, given);
      if (!(result instanceof Promise)) return after(method, result, given);
      return result.catch((cause: unknown) => {
        throw blamed(called, method, cause);
      });
    } catch (cause) {
      throw blamed(called, method, cause);
    }
  };
}

function requireModule(called: Called, module: Loose, { counts, functions }: ModuleDemands): void {
  const require = (holds: boolean, expected: string, got: unknown): void => {
    if (!holds) throw failed(called, 'build', { expected, got: typeof got === 'object' ? 'an object' : String(got) });
  };
  for (const name of functions) require(typeof module[name] === 'function', `a function ${name}`, module[name]);
  for (const name of counts) {
    const count = module[name];
    require(Number.isSafeInteger(count) && (count as number) > 0, `${name}, a whole number from 1`, count);
  }
}

/** The error of a call, as whoever called is to see it. */
function blamed(called: Called, method: string, cause: unknown): unknown {
  const own = modelSeams.includes(called.seam) ? ['bad-config', 'plugin-failed'] : undefined;
  if (UserLlmError.isInstance(cause) && (own?.includes(cause.code) ?? true)) return cause;
  return failed(called, method, { got: cause instanceof Error ? cause.message : String(cause), cause });
}

function failed(
  { plugin, seam, part }: Called,
  method: string,
  details: { readonly expected?: string; readonly got: string; readonly cause?: unknown },
): UserLlmError {
  return new UserLlmError('plugin-failed', {
    what: `plugin ${JSON.stringify(plugin)}, ${method} of ${JSON.stringify(part)} among its ${seam}`,
    ...details,
    mend: 'Mend the plugin; the conformance suites of @user-llm/plugin/testing find such.',
  });
}
