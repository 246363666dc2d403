import { basename } from 'node:path';
import type { DatasetInput, DatasetSource, EventColumns, ItemColumns, RawDataset } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

const eventColumns: EventColumns = {
  user: { kind: 'text', from: 'userId' },
  item: { kind: 'text', from: 'movieId' },
  time: { kind: 'time', from: 'timestamp', unit: 'seconds' },
  rating: { kind: 'number', from: 'rating' },
};

const itemColumns: ItemColumns = {
  item: { kind: 'text', from: 'movieId' },
  title: { kind: 'text', from: 'title' },
  categories: { kind: 'texts', from: 'genres', separator: '|', omit: ['(no genres listed)'] },
};

/** Separated by `::`, without a header line and without quotes: the sets of 1 and of 10 million ratings. */
const oldFormat = (names: readonly string[]) => ({ kind: 'csv', separator: '::', quoted: false, names }) as const;

/** MovieLens: ml-latest-small, 20M, 25M, 32M (`ratings.csv`, `movies.csv`), and 1M, 10M (`ratings.dat`, `movies.dat`). */
export const movielens: DatasetSource = {
  name: 'movielens',
  description: 'MovieLens ratings and movies: ml-latest-small, 1M, 10M, 20M, 25M, 32M',
  citation:
    'F. M. Harper and J. A. Konstan. The MovieLens Datasets: History and Context. ACM TiiS 5(4), 2015. ' +
    'For research; redistribution and commercial use only as the README of the set allows.',
  locate: async (input): Promise<RawDataset> => {
    const files = await input.files();
    const named = (stem: string, extension: string) =>
      files.find((file) => [`${stem}.${extension}`, `${stem}.${extension}.gz`].includes(basename(file)));
    const [ratings, movies] = [named('ratings', 'csv'), named('movies', 'csv')];
    if (ratings !== undefined) {
      return {
        events: { files: [ratings], format: { kind: 'csv' }, columns: eventColumns },
        ...(movies !== undefined && { items: { files: [movies], format: { kind: 'csv' }, columns: itemColumns } }),
      };
    }
    const [oldRatings, oldMovies] = [named('ratings', 'dat'), named('movies', 'dat')];
    if (oldRatings === undefined) throw noRatings(input);
    return {
      events: {
        files: [oldRatings],
        format: oldFormat(['userId', 'movieId', 'rating', 'timestamp']),
        columns: eventColumns,
      },
      ...(oldMovies !== undefined && {
        items: { files: [oldMovies], format: oldFormat(['movieId', 'title', 'genres']), columns: itemColumns },
      }),
    };
  },
};

const noRatings = (input: DatasetInput) =>
  new UserLlmError('files-not-found', {
    what: `MovieLens in ${input.path}`,
    expected: 'ratings.csv or ratings.dat (or either with .gz)',
    got: 'neither',
    mend: 'Point at the unpacked folder, such as ml-25m, or fetch one: user-llm-train data download --help',
  });
