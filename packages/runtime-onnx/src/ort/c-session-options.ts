import type { CApi } from './c-api.js';
import { textArray } from './c-memory.js';
import type { GraphOptimization, SessionOptions } from './engine.js';
import { Handle } from './handle.js';
import { chooseProviders, unavailable, type ProviderSettings } from './providers.js';
import { logSeverity } from './log-severity.js';

const optimizationLevels: Readonly<Record<GraphOptimization, number>> = { none: 0, basic: 1, extended: 2, all: 99 };

/** `ORT_PARALLEL`: operators that do not depend on each other run beside each other. */
const parallelExecution = 1;

/** The providers that are not asked for by name in the C API are reached under these names. */
const genericNames = { webgpu: 'WebGPU', coreml: 'CoreML', dml: 'DML' } as const;

/** What the options of a session depend on besides what was asked for. */
export interface SessionSetting {
  /** Execution providers that are there. */
  readonly available: readonly string[];
  /** Whether the session has threads of its own. */
  readonly ownThreads: boolean;
}

/**
 * ONNX Runtime's session options for ours; weights are added by the session.
 *
 * @throws UserLlmError `unavailable-provider`, or `onnxruntime-...` for settings it refuses.
 */
export function sessionOptions(api: CApi, options: SessionOptions, { available, ownThreads }: SessionSetting): Handle {
  const providers = chooseProviders(options.providers, available);
  const handle = new Handle(api, 'session options', 'ReleaseSessionOptions', api.create('CreateSessionOptions'));
  try {
    const target = handle.address;
    api.call('SetSessionLogSeverityLevel', target, logSeverity);
    api.call('SetSessionGraphOptimizationLevel', target, optimizationLevels[options.graphOptimization ?? 'all']);
    if (!ownThreads) api.call('DisablePerSessionThreads', target);
    else if (options.intraOpThreads !== undefined) api.call('SetIntraOpNumThreads', target, options.intraOpThreads);
    if (options.interOpThreads !== undefined && options.interOpThreads > 1) {
      api.call('SetSessionExecutionMode', target, parallelExecution);
      api.call('SetInterOpNumThreads', target, options.interOpThreads);
    }
    if (options.memoryArena === false) api.call('DisableCpuMemArena', target);
    if (options.memoryPattern === false) api.call('DisableMemPattern', target);
    if (options.profile !== undefined) api.call('EnableProfiling', target, options.profile);
    if (options.optimizedModel !== undefined) api.call('SetOptimizedModelFilePath', target, options.optimizedModel);
    for (const [key, value] of Object.entries(options.config ?? {}))
      api.call('AddSessionConfigEntry', target, key, value);
    for (const provider of providers) {
      try {
        appendProvider(api, target, provider);
      } catch (cause) {
        throw unavailable(provider.name, available, (cause as Error).message, cause);
      }
    }
    return handle;
  } catch (error) {
    handle.dispose();
    throw error;
  }
}

function appendProvider(api: CApi, target: bigint, { name, options }: Required<ProviderSettings>): void {
  // The CPU is always there as the last choice.
  if (name === 'cpu') return;
  const keys = textArray(api, Object.keys(options));
  const values = textArray(api, Object.values(options));
  const count = Object.keys(options).length;
  if (name !== 'cuda') {
    api.call('AppendExecutionProvider', target, genericNames[name], keys.address, values.address, count);
    return;
  }
  const cuda = new Handle(api, 'CUDA options', 'ReleaseCUDAProviderOptions', api.create('CreateCUDAProviderOptions'));
  try {
    api.call('UpdateCUDAProviderOptions', cuda.address, keys.address, values.address, count);
    api.call('AppendExecutionProvider_CUDA_V2', target, cuda.address);
  } finally {
    cuda.dispose();
  }
}
