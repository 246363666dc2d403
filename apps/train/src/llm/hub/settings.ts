import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where models come from and go to. */
export interface HubSettings {
  /** Without a slash at the end. */
  readonly endpoint: string;
  /** Folder of the cache, laid out as Hugging Face's own tools do. */
  readonly cache: string;
  readonly token?: string;
}

/** Settings as Hugging Face's tools take them: `HF_ENDPOINT`, `HF_HUB_CACHE` or `HF_HOME`, `HF_TOKEN`. */
export function hubSettings(environment: NodeJS.ProcessEnv = process.env): HubSettings {
  const { HF_ENDPOINT, HF_HUB_CACHE, HF_HOME, HF_TOKEN } = environment;
  return {
    endpoint: (HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    cache: HF_HUB_CACHE || join(HF_HOME || join(homedir(), '.cache', 'huggingface'), 'hub'),
    ...(HF_TOKEN && { token: HF_TOKEN }),
  };
}
