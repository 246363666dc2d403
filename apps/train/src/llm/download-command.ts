import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { Stopped } from '../run/run-commands.js';
import { downloadModel, type DownloadProgress } from './hub/download-model.js';
import { hubSettings } from './hub/settings.js';

const help = `
Takes the weights in safetensors with the config and the tokenizer, never pickled weights, checks every file by its hash,
and goes on with a download that was broken off. Files go to the cache that Hugging Face's tools use.

Environment: HF_TOKEN (for models that need an account), HF_HOME or HF_HUB_CACHE (the cache), HF_ENDPOINT (a mirror).

Examples:
  $ user-llm-train llm download HuggingFaceTB/SmolLM2-135M-Instruct --out models/smollm2
  $ user-llm-train llm download Qwen/Qwen3-0.6B --revision main
  $ user-llm-train llm download bartowski/SmolLM2-135M-Instruct-GGUF --file SmolLM2-135M-Instruct-Q8_0.gguf

Prints the folder, which a config takes as "text": { "kind": "checkpoint", "path": "FOLDER" }.`;

/** `llm download`: a model from the Hugging Face Hub. */
export function downloadCommand(signal: AbortSignal): CommandUnknownOpts {
  return new Command('download')
    .description('fetch a language model from the Hugging Face Hub')
    .argument('<model>', 'OWNER/NAME')
    .option('--revision <name>', 'branch, tag or commit', 'main')
    .option('--file <name>', 'one file alone, such as a GGUF file')
    .option('--out <folder>', 'folder that gets the files; in the cache alone when absent')
    .addHelpText('after', help)
    .action(async (repository, { revision, file, out }) => {
      const progress = progressLine();
      const folder = await downloadModel({
        settings: hubSettings(),
        repository,
        revision,
        ...(file !== undefined && { file }),
        ...(out !== undefined && { out }),
        signal,
        onProgress: progress.show,
      })
        .catch((error: unknown) => {
          if (signal.aborted) throw new Stopped('Stopped. The same command goes on where this one ended.');
          throw error;
        })
        .finally(progress.end);
      process.stdout.write(`${folder}\n`);
    });
}

/** One line that changes on a terminal; a line per file elsewhere. */
function progressLine(): { show(progress: DownloadProgress): void; end(): void } {
  const { stderr } = process;
  let shown = '';
  return {
    show: ({ file, done, total }) => {
      const text = stderr.isTTY ? `${file}  ${megabytes(done)} of ${megabytes(total)} MB` : file;
      if (text === shown) return;
      shown = text;
      stderr.write(stderr.isTTY ? `\r\u001b[K${text}` : `${text}\n`);
    },
    end: () => {
      if (stderr.isTTY && shown !== '') stderr.write('\r\u001b[K');
    },
  };
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
