export { identityCompressor, identityConfig } from './identity.js';
export { lastEvent, lastEventConfig, type LastEventConfig } from './last-event.js';
export { meanPool, meanPoolConfig } from './mean-pool.js';
export { perceiverResampler, type ResamplerLayerParameters, type ResamplerParameters } from './resampler.js';
export { resamplerConfig, type ResamplerConfig } from './resampler-config.js';
