import type { MessagePort } from 'node:worker_threads';
import type { BaseDType, TypedArray } from '@user-llm/tensor';
import type { ValueInfo } from './engine.js';

/** A tensor on its way between the threads; its elements are copied. */
export interface SentTensor {
  readonly name: string;
  readonly dtype: BaseDType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** onnxruntime-node's session options, as far as we set them. */
export interface PackageSessionOptions {
  readonly executionProviders: readonly { readonly name: string }[];
  readonly intraOpNumThreads?: number;
  readonly interOpNumThreads?: number;
  readonly executionMode?: 'parallel';
  readonly graphOptimizationLevel: 'disabled' | 'basic' | 'extended' | 'all';
  readonly enableCpuMemArena: boolean;
  readonly enableMemPattern: boolean;
  readonly enableProfiling?: boolean;
  readonly profileFilePrefix?: string;
  readonly optimizedModelFilePath?: string;
  readonly logSeverityLevel: number;
  readonly extra?: object;
  /** Weights by the location that the model's external initializers name. */
  readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[];
}

/** What a worker is asked to do; each request is answered by one reply with its `id`. */
export type Request = { readonly id: number } & (
  | { readonly kind: 'create'; readonly model: Uint8Array | string; readonly options: PackageSessionOptions }
  | {
      readonly kind: 'run';
      readonly feeds: readonly SentTensor[];
      /** Outputs by name; `inPlaceOf` is the input whose memory is also that output's (a KV cache). */
      readonly fetches: readonly { readonly name: string; readonly inPlaceOf?: string }[];
    }
  | { readonly kind: 'end-profiling' }
  | { readonly kind: 'dispose' }
);

/** A worker's answer; the fields belong to the kind of request, `error` stands for failure. */
export interface Reply {
  readonly id: number;
  readonly error?: string;
  readonly inputs?: readonly ValueInfo[];
  readonly outputs?: readonly ValueInfo[];
  readonly results?: readonly SentTensor[];
}

/** What a worker starts with. */
export interface WorkerSetup {
  readonly port: MessagePort;
  /** One counter, raised with every reply, on which a synchronous caller waits. */
  readonly replies: Int32Array;
}
