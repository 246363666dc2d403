import { basename } from 'node:path';
import type { DatasetSource, EventColumns, ItemColumns, RawDataset } from '@user-llm/plugin';
import { UserLlmError } from '@user-llm/tensor';

const eventColumns: EventColumns = {
  user: { kind: 'text', from: 'user_id' },
  item: { kind: 'text', from: 'gmap_id' },
  time: { kind: 'time', from: 'time', unit: 'milliseconds' },
  rating: { kind: 'number', from: 'rating' },
  text: { kind: 'text', from: 'text' },
};

const itemColumns: ItemColumns = {
  item: { kind: 'text', from: 'gmap_id' },
  title: { kind: 'text', from: 'name' },
  categories: { kind: 'texts', from: 'category' },
  description: { kind: 'text', from: 'description' },
  address: { kind: 'text', from: 'address' },
  latitude: { kind: 'number', from: 'latitude', unreadable: 'none' },
  longitude: { kind: 'number', from: 'longitude', unreadable: 'none' },
};

const isNamed = (file: string, stem: RegExp) => stem.test(basename(file)) && /\.jsonl?(\.gz)?$/i.test(file);

/** Google Local, release of 2021: reviews (`review-State.json.gz`) and places (`meta-State.json.gz`). */
export const googleLocal: DatasetSource = {
  name: 'google-local',
  description: 'Google Local reviews and places: the release of 2021, by state',
  citation: 'J. Li, J. Shang and J. McAuley, ACL 2022; A. Yan et al., SIGIR 2023. For research.',
  locate: async (input): Promise<RawDataset> => {
    const files = await input.files();
    const reviews = files.filter((file) => isNamed(file, /^review/i));
    const places = files.filter((file) => isNamed(file, /^meta/i));
    if (reviews.length === 0) {
      throw new UserLlmError('files-not-found', {
        what: `Google Local reviews in ${input.path}`,
        expected: 'reviews such as review-Hawaii.json.gz',
        got: 'none',
        mend: 'Point at the folder (or file) of the reviews; places (meta-...) alone are no history.',
      });
    }
    return {
      events: { files: reviews, format: { kind: 'jsonl' }, columns: eventColumns },
      ...(places.length > 0 && { items: { files: places, format: { kind: 'jsonl' }, columns: itemColumns } }),
    };
  },
};
