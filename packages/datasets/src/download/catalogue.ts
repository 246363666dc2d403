import { UserLlmError } from '@user-llm/tensor';

/** One file of a publisher. */
export interface PublishedFile {
  /** Its official address. */
  readonly address: string;
  /** Address of a text with the MD5 of the file, where the publisher gives one. */
  readonly md5?: string;
}

interface Publication {
  /** How names of it look, for people. */
  readonly form: string;
  /** Its files, when `name` is one of its names. */
  files(name: string): readonly PublishedFile[] | undefined;
}

const movieLens = ['ml-latest-small', 'ml-latest', 'ml-1m', 'ml-10m', 'ml-20m', 'ml-25m', 'ml-32m'];
const lab = 'https://mcauleylab.ucsd.edu/public_datasets';

/** The part of a name after `prefix/`, of letters, digits, `_`, `-` and `,` only, as categories and states are called. */
function part(prefix: string, name: string): string | undefined {
  const found = name.startsWith(`${prefix}/`) ? name.slice(prefix.length + 1) : '';
  return /^[\w,-]+$/.test(found) ? found : undefined;
}

const reviews =
  (prefix: string, files: (name: string) => readonly string[]): Publication['files'] =>
  (name) => {
    const found = part(prefix, name);
    return found === undefined ? undefined : files(found).map((path) => ({ address: `${lab}/${path}` }));
  };

const publications: readonly Publication[] = [
  {
    form: movieLens.join(', '),
    files: (name) => {
      const address = `https://files.grouplens.org/datasets/movielens/${name}.zip`;
      return movieLens.includes(name) ? [{ address, md5: `${address}.md5` }] : undefined;
    },
  },
  {
    form: 'amazon-2014/CATEGORY (such as Movies_and_TV; Movies_and_TV_5 for the 5-core)',
    files: reviews('amazon-2014', (category) => [
      `data/amazon/categoryFiles/reviews_${category}.json.gz`,
      `data/amazon/categoryFiles/meta_${withoutCore(category)}.json.gz`,
    ]),
  },
  {
    form: 'amazon-2018/CATEGORY (the same)',
    files: reviews('amazon-2018', (category) => [
      `data/amazon_v2/${category === withoutCore(category) ? 'categoryFiles' : 'categoryFilesSmall'}/${category}.json.gz`,
      `data/amazon_v2/metaFiles2/meta_${withoutCore(category)}.json.gz`,
    ]),
  },
  {
    form: 'amazon-2023/CATEGORY (such as All_Beauty)',
    files: reviews('amazon-2023', (category) => [
      `data/amazon_2023/raw/review_categories/${category}.jsonl.gz`,
      `data/amazon_2023/raw/meta_categories/meta_${category}.jsonl.gz`,
    ]),
  },
  {
    form: 'google-local/STATE (such as New_York; New_York_10 for the 10-core)',
    files: reviews('google-local', (state) => [
      `gdrive/googlelocal/review-${state}.json.gz`,
      `gdrive/googlelocal/meta-${withoutCore(state)}.json.gz`,
    ]),
  },
];

/** The category or state of a name that asks for the users and items with at least 5 or 10 reviews. */
const withoutCore = (name: string) => name.replace(/_(5|10)$/, '');

/** The forms of the names that can be downloaded, for people. */
export const downloadNames: readonly string[] = publications.map(({ form }) => form);

/**
 * The files of a data set, reviews or ratings first.
 *
 * @throws UserLlmError `unknown-download` for any other name.
 */
export function publishedFiles(name: string): readonly PublishedFile[] {
  for (const { files } of publications) {
    const found = files(name);
    if (found) return found;
  }
  throw new UserLlmError('unknown-download', {
    what: name,
    expected: `one of ${downloadNames.join('; ')}`,
    mend: 'Correct the name; what is elsewhere can be read with --source table.',
  });
}
