import { readHistories } from './ratings.js';
import { trainNextFilm } from './next-film.js';

const steps = 400;

/**
 * The command `demo`: trains a small model that guesses the film a user rates next, on real MovieLens histories, and
 * holds it against always guessing the most popular films.
 *
 * @returns The exit status: 0 when it ran.
 */
export async function main(): Promise<number> {
  const histories = readHistories(new URL('../data/ratings.csv.gz', import.meta.url), 20);
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  say(
    `MovieLens (GroupLens; terms in tools/demo/data/NOTICE.md): ${histories.users.length} users, ${histories.films} films`,
  );
  const start = performance.now();
  const result = await trainNextFilm(histories, {
    steps,
    seed: 1,
    progress: (step, loss) => {
      if (step % 50 === 0) say(`step ${step} of ${steps}, loss ${loss.toFixed(3)}`);
    },
  });
  const seconds = (performance.now() - start) / 1000;
  say(`\nTrained on ${result.engine} in ${seconds.toFixed(1)} s. The last film of each user was never trained on:`);
  say(`  among the model's 50 first guesses       ${percent(result.modelHits)}`);
  say(`  among the 50 films most often rated      ${percent(result.popularityHits)}`);
  say('\nThis is a toy on the way: an embedding per film and a mean over the last ten, no language model yet.');
  return 0;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}
