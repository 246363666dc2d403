export { createServer, type ServerOptions, type UserLlmServer } from './create-server.js';
export type { ApiKey } from './http/api-keys.js';
export type { Examples } from './http/services.js';
export { serverLimits, type ServerLimits } from './server-options.js';
export { openLmdbStore } from './stores/lmdb-store.js';
export { memoryStore } from './stores/memory-store.js';
export type { GenerateRequest, Recommendation, RecommendRequest, Sampling, UserModel } from './user-model.js';
export { userModelOf, type UserModelOptions } from './user-model-of.js';
export type { Histories } from './users/users.js';
