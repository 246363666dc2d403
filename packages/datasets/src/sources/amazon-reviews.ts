import { basename } from 'node:path';
import type {
  DatasetInput,
  DatasetSource,
  EventColumns,
  ItemColumns,
  JsonLinesFormat,
  RawDataset,
} from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

/** Columns of a review, by the names of the releases of 2014 and 2018 and those of 2023. */
const eventColumns2018: EventColumns = {
  user: { kind: 'text', from: 'reviewerID' },
  item: { kind: 'text', from: 'asin' },
  time: { kind: 'time', from: 'unixReviewTime', unit: 'seconds' },
  rating: { kind: 'number', from: 'overall' },
  text: { kind: 'text', from: 'reviewText' },
  summary: { kind: 'text', from: 'summary' },
};

const eventColumns2023: EventColumns = {
  user: { kind: 'text', from: 'user_id' },
  item: { kind: 'text', from: ['parent_asin', 'asin'] },
  time: { kind: 'time', from: 'timestamp', unit: 'milliseconds' },
  rating: { kind: 'number', from: 'rating' },
  text: { kind: 'text', from: 'text' },
  summary: { kind: 'text', from: 'title' },
};

/** Columns of metadata; the first category is the department that all items of a file share, so it is left out. */
const itemColumns: ItemColumns = {
  item: { kind: 'text', from: ['parent_asin', 'asin'] },
  title: { kind: 'text', from: 'title' },
  categories: { kind: 'texts', from: ['category', 'categories'], skip: 1 },
  description: { kind: 'text', from: 'description', join: ' ' },
  brand: { kind: 'text', from: ['brand', 'store'] },
  department: { kind: 'text', from: ['main_cat', 'main_category'] },
  price: { kind: 'number', from: 'price', unreadable: 'none' },
};

const isJsonLines = (file: string) => /\.jsonl?(\.gz)?$/i.test(file);
const isMetadata = (file: string) => /^meta[_-]/i.test(basename(file));

/** Amazon Reviews, releases of 2014, 2018 and 2023: files of reviews, and of metadata named `meta_...`. */
export const amazonReviews: DatasetSource = {
  name: 'amazon',
  description: 'Amazon reviews and metadata: the releases of 2014, 2018 and 2023, JSON lines, compressed or not',
  citation:
    '2014: R. He and J. McAuley, WWW 2016. 2018: J. Ni, J. Li and J. McAuley, EMNLP 2019. ' +
    '2023: Y. Hou et al., arXiv 2403.03952. For academic research.',
  locate: async (input): Promise<RawDataset> => {
    const files = (await input.files()).filter(isJsonLines);
    const reviews = files.filter((file) => !isMetadata(file));
    const metadata = files.filter(isMetadata);
    const [first] = reviews;
    if (first === undefined) throw noReviews(input);
    const columns = (await input.firstLine(first)).includes('reviewerID') ? eventColumns2018 : eventColumns2023;
    const [firstMetadata] = metadata;
    return {
      events: { files: reviews, format: await jsonFormat(input, first), columns },
      ...(firstMetadata !== undefined && {
        items: { files: metadata, format: await jsonFormat(input, firstMetadata), columns: itemColumns },
      }),
    };
  },
};

/** Old files are printed by Python, with single quotes, and only look like JSON. */
async function jsonFormat(input: DatasetInput, file: string): Promise<JsonLinesFormat> {
  const python = /^\s*\{\s*u?'/.test(await input.firstLine(file));
  return { kind: 'jsonl', ...(python && { literals: 'python' }) };
}

const noReviews = (input: DatasetInput) =>
  new UserLlmError('files-not-found', {
    what: `Amazon reviews in ${input.path}`,
    expected: 'reviews such as Movies_and_TV.json.gz or Movies_and_TV.jsonl',
    got: 'none',
    mend: 'Point at the folder (or file) of the reviews; metadata (meta_...) alone is no history.',
  });
