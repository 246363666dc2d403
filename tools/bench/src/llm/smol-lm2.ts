import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/**
 * The file of SmolLM2-135M-Instruct in the folder that `USER_LLM_MODELS` names.
 *
 * @throws Error when it is not there.
 */
export function smolLm2(): string {
  const folder = process.env['USER_LLM_MODELS'] ?? '../shared/models';
  const path = resolve(folder, 'SmolLM2-135M-Instruct/SmolLM2-135M-Instruct.Q4_1.gguf');
  if (!existsSync(path)) throw new Error(`No ${path}. Set USER_LLM_MODELS to the folder with the model.`);
  return path;
}
