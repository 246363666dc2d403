import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { download, downloadNames } from '@user-llm/datasets';
import { downloadProgress } from './progress.js';

const help = `
Names:
${downloadNames.map((name) => `  ${name}`).join('\n')}

Examples:
  $ user-llm-train data download ml-25m --out raw/ml-25m
  $ user-llm-train data download amazon-2018/Movies_and_TV_5 --out raw/movies
  $ user-llm-train data prepare --source amazon --input raw/movies --out data/movies

A download that was cut goes on where it was. A file that is in the folder already is taken as it is, so without a
network it can be brought there by other ways. The publishers' terms hold: look at their pages.`;

/** `data download`: the raw files of a published data set. */
export function dataDownloadCommand(signal: AbortSignal): CommandUnknownOpts {
  return new Command('download')
    .description('fetch the raw files of a published data set')
    .argument('<name>', 'which one; see below')
    .requiredOption('--out <folder>', 'folder for the raw files')
    .option('--mirror <address>', "a folder with the same files, in place of the publisher's")
    .addHelpText('after', help)
    .action(async (name, { out, mirror }) => {
      const progress = downloadProgress(process.stderr);
      const files = await download(name, {
        output: out,
        signal,
        onProgress: progress.show,
        ...(mirror !== undefined && { mirror }),
      }).finally(progress.end);
      for (const { path, bytes, checked, unpacked } of files) {
        const sum = checked ? 'checksum right' : 'no checksum to be had';
        const parts = unpacked.length === 0 ? '' : `, ${unpacked.length} files unpacked`;
        process.stdout.write(`${path}: ${(bytes / 1e6).toFixed(1)} MB, ${sum}${parts}\n`);
      }
    });
}
