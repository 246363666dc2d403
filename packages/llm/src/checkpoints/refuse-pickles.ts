import { UserLlmError } from '@user-llm/tensor';
import { openFile } from './read-files.js';

/** Names of files that PyTorch's pickles have; `.bin` is llama2c's too. */
export const pickleNames = /\.(bin|pt|pth|ckpt|pkl)$/;

/** The error of pickled weights. */
export function pickledWeights(path: string): UserLlmError {
  return new UserLlmError('pickled-weights', {
    what: path,
    expected: 'weights as safetensors or GGUF',
    got: 'pickled ones, which can run any code when they are opened',
    mend: 'Download the safetensors of the model, or convert it with save_pretrained(..., safe_serialization=True).',
  });
}

/**
 * Throws for a file that holds pickles, as its name or its first bytes tell: a ZIP archive, or a pickle of protocol 2
 * or later.
 *
 * @throws UserLlmError `pickled-weights`, `unreadable-file`.
 */
export async function refusePickle(path: string): Promise<void> {
  if (!pickleNames.test(path)) return;
  if (!path.endsWith('.bin') || isPickle(await firstBytes(path))) throw pickledWeights(path);
}

function isPickle([a, b, c]: Uint8Array): boolean {
  // A width of 640 begins a llama2.c file with the first two bytes of a pickle, but its third is 0.
  return (a === 0x50 && b === 0x4b) || (a === 0x80 && b! >= 2 && b! <= 5 && c !== 0);
}

async function firstBytes(path: string): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    return (await file.read(new Uint8Array(3), 0, 3, 0)).buffer;
  } finally {
    await file.close();
  }
}
