import { UserLlmError } from '@user-llm/tensor';

/** Names of `OrtErrorCode`, in its order; the code of the error that we throw is `onnxruntime-` and this name. */
const names = [
  'ok',
  'fail',
  'invalid-argument',
  'no-such-file',
  'no-model',
  'engine-error',
  'runtime-exception',
  'invalid-protobuf',
  'model-loaded',
  'not-implemented',
  'invalid-graph',
  'execution-provider-fail',
  'model-load-canceled',
  'model-requires-compilation',
  'not-found',
  'device-reset',
] as const;

/** What ONNX Runtime said of a failure: `code` is its `OrtErrorCode`, `message` its words. */
export interface OrtFailure {
  readonly code: number;
  readonly message: string;
}

/** The operators of the graph by the ONNX node that fails for them. */
const operators: Readonly<Record<string, string>> = {
  Gather: 'gather',
  GatherElements: 'takeAlong',
  ScatterElements: 'scatterAdd or addAlong',
};

/** What a graph does wrong when it runs, known by the words of the kernel that refused it. */
function graphError(message: string): UserLlmError | undefined {
  const type = /while running (Gather|GatherElements|ScatterElements) node/.exec(message)?.[1];
  if (type !== undefined && /out of (data bounds|range)/i.test(message)) {
    const [, told, last] = /idx=(\d+)[^[]*\[-?\d+,(-?\d+)\]/.exec(message) ?? [];
    return new UserLlmError('out-of-range', {
      what: operators[type]!,
      expected: last === undefined ? 'indices within the axis' : `indices from 0 to ${last}`,
      // Programs read negative indices without their sign, since ONNX would count them from the end.
      got: told === undefined ? 'one outside' : `${Number(told) | 0}`,
      mend: 'Map unknown ids to a row of their own before.',
    });
  }
  const division = /Integer (division|modulo) by zero/.exec(message)?.[1];
  if (division === undefined) return undefined;
  return new UserLlmError('division-by-zero', {
    what: `${division === 'division' ? 'divide' : 'modulo'} of whole numbers`,
    expected: 'divisors other than 0',
    got: '0',
    mend: 'Replace such divisors with where before dividing.',
  });
}

/**
 * The typed error for a failure of ONNX Runtime; its code is for example `onnxruntime-invalid-argument`, and
 * `out-of-range` or `division-by-zero` where a run met such an index or divisor.
 */
export function ortError(what: string, { code, message }: OrtFailure): UserLlmError {
  const known = graphError(message);
  if (known) return known;
  const name = names[code] ?? 'fail';
  return new UserLlmError(`onnxruntime-${name}`, {
    what,
    got: `ONNX Runtime error ${code} (${name}): ${message.trim()}`,
    ...(code === 3 && { mend: 'Check that the path exists and can be read.' }),
    ...(code === 7 && { mend: 'Check that the file is a whole ONNX model.' }),
  });
}
