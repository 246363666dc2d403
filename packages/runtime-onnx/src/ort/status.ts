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

/** The typed error for a failure of ONNX Runtime; its code is for example `onnxruntime-invalid-argument`. */
export function ortError(what: string, { code, message }: OrtFailure): UserLlmError {
  const name = names[code] ?? 'fail';
  return new UserLlmError(`onnxruntime-${name}`, {
    what,
    got: `ONNX Runtime error ${code} (${name}): ${message.trim()}`,
    ...(code === 3 && { mend: 'Check that the path exists and can be read.' }),
    ...(code === 7 && { mend: 'Check that the file is a whole ONNX model.' }),
  });
}
