/**
 * The functions of ONNX Runtime's C API that we call.
 *
 * `OrtApi` is a struct of function pointers that only ever grows, so a function's index is the same in every
 * release that has it. `index` counts the members of `struct OrtApi` in `onnxruntime_c_api.h`; `since` is the API
 * version (the minor version of the release) whose struct first had it.
 */

/** Kinds of parameters: addresses, NUL-terminated texts, file paths (wide on Windows), and integers. */
export type Parameter = 'pointer' | 'text' | 'path' | 'int' | 'long' | 'size';

/** What a function returns: `status` is null or an error, which becomes an exception. */
export type Result = 'status' | 'nothing' | 'int' | 'text';

/** One function: its place in the table, the API version it came with, and its signature. */
export interface ApiFunction {
  readonly index: number;
  readonly since: number;
  readonly takes: readonly Parameter[];
  readonly returns: Result;
}

/** Every function that is called, by the name it has in the header. */
export const apiTable = {
  GetErrorCode: { index: 1, since: 1, takes: ['pointer'], returns: 'int' },
  GetErrorMessage: { index: 2, since: 1, takes: ['pointer'], returns: 'text' },
  CreateEnv: { index: 3, since: 1, takes: ['int', 'text', 'pointer'], returns: 'status' },
  DisableTelemetryEvents: { index: 6, since: 1, takes: ['pointer'], returns: 'status' },
  Run: {
    index: 9,
    since: 1,
    takes: ['pointer', 'pointer', 'pointer', 'pointer', 'size', 'pointer', 'size', 'pointer'],
    returns: 'status',
  },
  CreateSessionOptions: { index: 10, since: 1, takes: ['pointer'], returns: 'status' },
  SetOptimizedModelFilePath: { index: 11, since: 1, takes: ['pointer', 'path'], returns: 'status' },
  SetSessionExecutionMode: { index: 13, since: 1, takes: ['pointer', 'int'], returns: 'status' },
  EnableProfiling: { index: 14, since: 1, takes: ['pointer', 'path'], returns: 'status' },
  DisableMemPattern: { index: 17, since: 1, takes: ['pointer'], returns: 'status' },
  DisableCpuMemArena: { index: 19, since: 1, takes: ['pointer'], returns: 'status' },
  SetSessionLogSeverityLevel: { index: 22, since: 1, takes: ['pointer', 'int'], returns: 'status' },
  SetSessionGraphOptimizationLevel: { index: 23, since: 1, takes: ['pointer', 'int'], returns: 'status' },
  SetIntraOpNumThreads: { index: 24, since: 1, takes: ['pointer', 'int'], returns: 'status' },
  SetInterOpNumThreads: { index: 25, since: 1, takes: ['pointer', 'int'], returns: 'status' },
  SessionGetInputCount: { index: 30, since: 1, takes: ['pointer', 'pointer'], returns: 'status' },
  SessionGetOutputCount: { index: 31, since: 1, takes: ['pointer', 'pointer'], returns: 'status' },
  SessionGetInputTypeInfo: { index: 33, since: 1, takes: ['pointer', 'size', 'pointer'], returns: 'status' },
  SessionGetOutputTypeInfo: { index: 34, since: 1, takes: ['pointer', 'size', 'pointer'], returns: 'status' },
  SessionGetInputName: { index: 36, since: 1, takes: ['pointer', 'size', 'pointer', 'pointer'], returns: 'status' },
  SessionGetOutputName: { index: 37, since: 1, takes: ['pointer', 'size', 'pointer', 'pointer'], returns: 'status' },
  CreateRunOptions: { index: 39, since: 1, takes: ['pointer'], returns: 'status' },
  RunOptionsSetRunLogSeverityLevel: { index: 41, since: 1, takes: ['pointer', 'int'], returns: 'status' },
  RunOptionsSetTerminate: { index: 46, since: 1, takes: ['pointer'], returns: 'status' },
  RunOptionsUnsetTerminate: { index: 47, since: 1, takes: ['pointer'], returns: 'status' },
  CreateTensorWithDataAsOrtValue: {
    index: 49,
    since: 1,
    takes: ['pointer', 'pointer', 'size', 'pointer', 'size', 'int', 'pointer'],
    returns: 'status',
  },
  GetTensorMutableData: { index: 51, since: 1, takes: ['pointer', 'pointer'], returns: 'status' },
  CastTypeInfoToTensorInfo: { index: 55, since: 1, takes: ['pointer', 'pointer'], returns: 'status' },
  GetTensorElementType: { index: 60, since: 1, takes: ['pointer', 'pointer'], returns: 'status' },
  GetDimensionsCount: { index: 61, since: 1, takes: ['pointer', 'pointer'], returns: 'status' },
  GetDimensions: { index: 62, since: 1, takes: ['pointer', 'pointer', 'size'], returns: 'status' },
  GetSymbolicDimensions: { index: 63, since: 1, takes: ['pointer', 'pointer', 'size'], returns: 'status' },
  GetTensorTypeAndShape: { index: 65, since: 1, takes: ['pointer', 'pointer'], returns: 'status' },
  CreateCpuMemoryInfo: { index: 69, since: 1, takes: ['int', 'int', 'pointer'], returns: 'status' },
  AllocatorFree: { index: 76, since: 1, takes: ['pointer', 'pointer'], returns: 'status' },
  GetAllocatorWithDefaultOptions: { index: 78, since: 1, takes: ['pointer'], returns: 'status' },
  ReleaseEnv: { index: 92, since: 1, takes: ['pointer'], returns: 'nothing' },
  ReleaseStatus: { index: 93, since: 1, takes: ['pointer'], returns: 'nothing' },
  ReleaseMemoryInfo: { index: 94, since: 1, takes: ['pointer'], returns: 'nothing' },
  ReleaseSession: { index: 95, since: 1, takes: ['pointer'], returns: 'nothing' },
  ReleaseValue: { index: 96, since: 1, takes: ['pointer'], returns: 'nothing' },
  ReleaseRunOptions: { index: 97, since: 1, takes: ['pointer'], returns: 'nothing' },
  ReleaseTypeInfo: { index: 98, since: 1, takes: ['pointer'], returns: 'nothing' },
  ReleaseTensorTypeAndShapeInfo: { index: 99, since: 1, takes: ['pointer'], returns: 'nothing' },
  ReleaseSessionOptions: { index: 100, since: 1, takes: ['pointer'], returns: 'nothing' },
  SessionEndProfiling: { index: 110, since: 2, takes: ['pointer', 'pointer', 'pointer'], returns: 'status' },
  CreateEnvWithGlobalThreadPools: {
    index: 119,
    since: 3,
    takes: ['int', 'text', 'pointer', 'pointer'],
    returns: 'status',
  },
  DisablePerSessionThreads: { index: 120, since: 3, takes: ['pointer'], returns: 'status' },
  CreateThreadingOptions: { index: 121, since: 3, takes: ['pointer'], returns: 'status' },
  ReleaseThreadingOptions: { index: 122, since: 3, takes: ['pointer'], returns: 'nothing' },
  GetAvailableProviders: { index: 125, since: 4, takes: ['pointer', 'pointer'], returns: 'status' },
  ReleaseAvailableProviders: { index: 126, since: 4, takes: ['pointer', 'int'], returns: 'status' },
  AddSessionConfigEntry: { index: 130, since: 5, takes: ['pointer', 'text', 'text'], returns: 'status' },
  SetGlobalIntraOpNumThreads: { index: 147, since: 6, takes: ['pointer', 'int'], returns: 'status' },
  SetGlobalInterOpNumThreads: { index: 148, since: 6, takes: ['pointer', 'int'], returns: 'status' },
  AddInitializer: { index: 150, since: 6, takes: ['pointer', 'text', 'pointer'], returns: 'status' },
  CreatePrepackedWeightsContainer: { index: 166, since: 8, takes: ['pointer'], returns: 'status' },
  ReleasePrepackedWeightsContainer: { index: 167, since: 8, takes: ['pointer'], returns: 'nothing' },
  CreateSessionWithPrepackedWeightsContainer: {
    index: 168,
    since: 8,
    takes: ['pointer', 'path', 'pointer', 'pointer', 'pointer'],
    returns: 'status',
  },
  CreateSessionFromArrayWithPrepackedWeightsContainer: {
    index: 169,
    since: 8,
    takes: ['pointer', 'pointer', 'size', 'pointer', 'pointer', 'pointer'],
    returns: 'status',
  },
  AppendExecutionProvider_CUDA_V2: { index: 204, since: 11, takes: ['pointer', 'pointer'], returns: 'status' },
  CreateCUDAProviderOptions: { index: 205, since: 11, takes: ['pointer'], returns: 'status' },
  UpdateCUDAProviderOptions: {
    index: 206,
    since: 11,
    takes: ['pointer', 'pointer', 'pointer', 'size'],
    returns: 'status',
  },
  ReleaseCUDAProviderOptions: { index: 208, since: 11, takes: ['pointer'], returns: 'nothing' },
  AddExternalInitializers: {
    index: 210,
    since: 12,
    takes: ['pointer', 'pointer', 'pointer', 'size'],
    returns: 'status',
  },
  AppendExecutionProvider: {
    index: 216,
    since: 12,
    takes: ['pointer', 'text', 'pointer', 'pointer', 'size'],
    returns: 'status',
  },
} as const satisfies Record<string, ApiFunction>;

/** The name of a function of the table. */
export type ApiName = keyof typeof apiTable;

/** The oldest API version that has every function of the table: ONNX Runtime 1.12. */
export const oldestApiVersion = Math.max(...Object.values(apiTable).map(({ since }) => since));
