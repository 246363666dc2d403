import type { Split } from '@user-llm/tokenization';

/** A result that others published on a data set of exactly this size. */
export interface PublishedResult {
  readonly method: string;
  readonly task: 'next-item';
  /** By metric; a hit rate with one true item is the recall. */
  readonly values: Readonly<Record<string, number>>;
  readonly source: string;
  /** How their protocol differs, if it does. */
  readonly remark?: string;
}

interface PublishedDataset {
  readonly users: number;
  readonly items: number;
  readonly events: number;
  readonly split: Split['kind'];
  readonly results: readonly PublishedResult[];
}

const next = (method: string, recall: number, ndcg: number, source: string, remark?: string): PublishedResult => ({
  method,
  task: 'next-item',
  values: { 'recall@10': recall, 'ndcg@10': ndcg },
  source,
  ...(remark !== undefined && { remark }),
});

const gsasrec = 'Petrov and Macdonald, RecSys 2023 (arXiv 2308.07192)';
const dross = 'Klenitskiy and Vasilev, RecSys 2023 (arXiv 2309.07602)';
const hstu = 'Zhai et al., ICML 2024 (arXiv 2402.17152)';
const llamarec = 'Yue et al., 2023 (arXiv 2311.02089)';

/** MovieLens-1M and ml-latest-small, 5-core, leave-one-out, ranked against the whole catalogue. */
const datasets: readonly PublishedDataset[] = [
  {
    users: 6040,
    items: 3416,
    events: 999_611,
    split: 'leave-last-out',
    results: [
      next('SASRec, binary cross-entropy', 0.25, 0.134, gsasrec),
      next('BERT4Rec', 0.284, 0.154, gsasrec),
      next('gSASRec', 0.3, 0.173, gsasrec),
      next('SASRec, full cross-entropy', 0.315, 0.182, dross),
      next('SASRec, 3,000 negatives', 0.316, 0.186, dross),
      next('HSTU', 0.31, 0.172, hstu, 'other preprocessing'),
    ],
  },
  {
    users: 610,
    items: 3650,
    events: 90_274,
    split: 'leave-last-out',
    results: [
      next('SASRec', 0.099, 0.052, llamarec),
      next('LRURec', 0.143, 0.071, llamarec),
      next('LlamaRec, 7B', 0.152, 0.076, llamarec),
    ],
  },
];

/** What was published on a data set of exactly this many users, items and events, by the same split. */
export function publishedFor(
  size: { readonly users: number; readonly items: number; readonly events: number },
  split: Split['kind'],
): readonly PublishedResult[] {
  const same = (each: PublishedDataset) =>
    each.users === size.users && each.items === size.items && each.events === size.events && each.split === split;
  return datasets.find(same)?.results ?? [];
}
