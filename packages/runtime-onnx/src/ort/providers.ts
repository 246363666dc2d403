import { UserLlmError } from '@user-llm/tensor';

/** ONNX Runtime's own names for the execution providers that can be chosen. */
const ortNames = {
  cpu: 'CPUExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  webgpu: 'WebGpuExecutionProvider',
  coreml: 'CoreMLExecutionProvider',
  dml: 'DmlExecutionProvider',
} as const;

/** An execution provider: where operators run. */
export type ProviderName = keyof typeof ortNames;

/** A provider with its own settings, such as `{ name: 'cuda', options: { device_id: '1' } }`. */
export interface ProviderSettings {
  readonly name: ProviderName;
  /** ONNX Runtime's settings of that provider, as texts. */
  readonly options?: Readonly<Record<string, string>>;
}

/** A provider by its name alone or with settings. */
export type ProviderChoice = ProviderName | ProviderSettings;

/**
 * The chosen providers with their settings, each checked to be in this build of ONNX Runtime.
 *
 * @param available Names as ONNX Runtime gives them.
 * @throws UserLlmError `unavailable-provider`, which lists those present.
 */
export function chooseProviders(
  choices: readonly ProviderChoice[] | undefined,
  available: readonly string[],
): readonly Required<ProviderSettings>[] {
  return (choices ?? ['cpu']).map((choice) => {
    const { name, options = {} } = typeof choice === 'string' ? { name: choice } : choice;
    if (Object.hasOwn(ortNames, name) && available.includes(ortNames[name])) return { name, options };
    throw unavailable(String(name), available, `no ${String(name)}`);
  });
}

/**
 * The error for a provider that this build of ONNX Runtime lacks, or that does not start on this machine or with
 * these settings; it lists those that the build has.
 */
export function unavailable(name: string, available: readonly string[], got: string, cause?: unknown): UserLlmError {
  const present = Object.entries(ortNames).filter(([, ortName]) => available.includes(ortName));
  return new UserLlmError('unavailable-provider', {
    what: `execution provider ${name}`,
    expected: `one of ${present.map(([known]) => known).join(', ')} (what this build of ONNX Runtime has) that starts here`,
    got,
    mend: 'Choose another, install what it needs, or give the path of a build that has it as `library`.',
    cause,
  });
}

/** ONNX Runtime's own name for a provider, if it is one of those that can be chosen. */
export function ortName(name: string): string | undefined {
  return Object.hasOwn(ortNames, name) ? ortNames[name as ProviderName] : undefined;
}
