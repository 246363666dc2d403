import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { describeDataset, formatCard } from '@user-llm/datasets';
import { writeFileAtomically } from '@user-llm/tensor';
import { cardPage } from './card-page.js';

/** `data describe`: the data card of a prepared data set. */
export function describeCommand(): CommandUnknownOpts {
  return new Command('describe')
    .description('tell what is in a data set: counts, histories, ratings, popularity, times')
    .argument('<folder>', 'a data set made by `data prepare`')
    .option('--html <file>', 'also write it as a page with plots')
    .action(async (folder, { html }) => {
      const card = await describeDataset(folder);
      process.stdout.write(formatCard(card));
      if (html === undefined) return;
      await writeFileAtomically(html, await cardPage(card));
      process.stdout.write(`page written to ${html}\n`);
    });
}
