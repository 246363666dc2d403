import { UserLlmError } from '@user-llm/tensor';
import { z } from 'zod';
import { request } from './request.js';
import type { HubSettings } from './settings.js';

/** A file of a model on the Hub. */
export interface HubFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  /** What its content must hash to: SHA-256 of it, or git's SHA-1 of a blob of it. */
  readonly hash: string;
}

/** A revision of a model. */
export interface HubRevision {
  /** The commit. */
  readonly commit: string;
  readonly files: readonly HubFile[];
}

const hex = (length: number): z.ZodString => z.string().regex(new RegExp(`^[0-9a-f]{${length}}$`));
const size = z.number().int().nonnegative();
const answer = z.looseObject({
  sha: hex(40),
  siblings: z.array(
    z.looseObject({
      rfilename: z.string(),
      size: size.optional(),
      blobId: hex(40).optional(),
      lfs: z.looseObject({ sha256: hex(64), size }).nullish(),
    }),
  ),
});

/** Files that a model is read from; those in folders are other forms of it, and `consolidated` ones the same weights again. */
const wanted = /^(?!consolidated)[\w-][\w.-]*\.(safetensors|json|model|jinja|txt)$/;
const pickled = /\.(bin|pt|pth|ckpt)$/;

/**
 * What a model on the Hub consists of, as far as it is needed.
 *
 * @param only The one file that is wanted, such as a GGUF file, instead of a folder in safetensors.
 * @throws UserLlmError `bad-argument` for a name that is none, `not-found`, `pickled-weights` and what `request` throws.
 */
export async function listModelFiles(
  settings: HubSettings,
  repository: string,
  revision: string,
  only?: string,
): Promise<HubRevision> {
  if (!/^[\w][\w.-]*(\/[\w][\w.-]*)?$/.test(repository))
    throw new UserLlmError('bad-argument', {
      what: 'model',
      expected: 'OWNER/NAME, such as HuggingFaceTB/SmolLM2-135M',
      got: JSON.stringify(repository),
    });
  const path = `/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const parsed = answer.safeParse(await (await request(settings, path)).json().catch(() => undefined));
  if (!parsed.success)
    throw new UserLlmError('bad-answer', {
      what: settings.endpoint + path,
      expected: 'the list of files of a model',
      got: parsed.error.issues[0]?.message ?? 'something else',
      mend: 'Check HF_ENDPOINT.',
    });
  const { sha, siblings } = parsed.data;
  const names = siblings.map(({ rfilename }) => rfilename);
  const chosen = siblings.filter(({ rfilename }) => (only === undefined ? wanted.test(rfilename) : rfilename === only));
  requireWeights(
    repository,
    names,
    chosen.map(({ rfilename }) => rfilename),
    only,
  );
  const files = chosen.map(({ rfilename, size: bytes, blobId, lfs }): HubFile => {
    const hash = lfs?.sha256 ?? blobId;
    if (hash !== undefined && (lfs ?? bytes) !== undefined) return { name: rfilename, size: lfs?.size ?? bytes!, hash };
    throw new UserLlmError('bad-answer', {
      what: `${repository}: ${rfilename}`,
      expected: 'its size and hash',
      got: 'none',
      mend: 'Check HF_ENDPOINT.',
    });
  });
  return { commit: sha, files };
}

function requireWeights(
  repository: string,
  names: readonly string[],
  chosen: readonly string[],
  only: string | undefined,
): void {
  if (only !== undefined) {
    if (/^[\w-][\w.-]*$/.test(only) && !pickled.test(only) && chosen.length === 1) return;
    throw new UserLlmError(pickled.test(only) ? 'pickled-weights' : 'not-found', {
      what: `${repository}: ${only}`,
      expected: 'a file at the top of the model, in safetensors or GGUF',
      got: pickled.test(only) ? 'pickled weights, which can run any code when they are opened' : 'none of that name',
      mend: `Take one of ${names.filter((name) => /^[^/]*\.(gguf|safetensors)$/.test(name)).join(', ') || 'another model'}.`,
    });
  }
  if (chosen.some((name) => name.endsWith('.safetensors'))) return;
  const gguf = names.filter((name) => name.endsWith('.gguf'));
  const pickles = names.some((name) => pickled.test(name));
  throw new UserLlmError(pickles && gguf.length === 0 ? 'pickled-weights' : 'not-found', {
    what: repository,
    expected: 'weights in safetensors',
    got:
      gguf.length > 0
        ? 'GGUF files'
        : pickles
          ? 'pickled ones alone, which can run any code when they are opened'
          : 'none',
    mend:
      gguf.length > 0
        ? `Choose one: --file ${gguf[0]!}.`
        : 'Look for another revision of the model (often refs/pr/NUMBER) or a copy of it in safetensors.',
  });
}
