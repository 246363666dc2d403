import type { MetricResult } from '../judge/evaluate-candidates.js';
import type { CostMeasurement, Report } from './report.js';

/** Three digits, as quality is told. */
export function figure(value: number): string {
  return Number.isNaN(value) ? 'none' : value.toFixed(3);
}

/** With a sign, for differences; none where nothing is left of it. */
export function signed(value: number): string {
  const digits = Math.abs(value).toFixed(3);
  return Number(digits) === 0 ? digits : `${value < 0 ? '−' : '+'}${digits}`;
}

/** A value with its interval, where it has one. */
export function withInterval({ value, low, high }: Pick<MetricResult, 'value' | 'low' | 'high'>): string {
  return low === undefined || high === undefined ? figure(value) : `${figure(value)} (${figure(low)}–${figure(high)})`;
}

/** A share of the resamples; one that never occurred is below what so many resamples can show. */
export function probability(share: number, { protocol }: Pick<Report, 'protocol'>): string {
  return share === 0 ? `<${figure(1 / protocol.bootstrap.resamples)}` : figure(share);
}

/** A command as a shell takes it. */
export function commandLine(words: readonly string[]): string {
  const quoted = (word: string) => (/^[\w./:=@,+-]+$/u.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
  return words.map(quoted).join(' ');
}

/** A whole number with its thousands apart. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** Operations in a unit that a person can compare: `1.24 GFLOP`. */
export function operations(flops: number): string {
  const units = ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP'];
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, flops)) / 3)));
  return `${(flops / 1000 ** unit).toPrecision(3)} ${units[unit]!}`;
}

/** Events of a history, and how many of them were read where not all were. */
export function eventsOf({ historyEvents, eventsRead }: CostMeasurement): string {
  return historyEvents === eventsRead
    ? grouped(historyEvents)
    : `${grouped(historyEvents)} (${grouped(eventsRead)} read)`;
}

/** Milliseconds, with digits where they matter. */
export function duration(value: number): string {
  return `${value < 10 ? value.toFixed(1) : grouped(value)} ms`;
}

/** What a metric is called in a heading. */
export function metricTitle(metric: string): string {
  const [name = '', cutoff] = metric.split('@');
  const titles: Readonly<Record<string, string>> = {
    recall: 'Recall',
    ndcg: 'NDCG',
    mrr: 'MRR',
    hr: 'HR',
    bleu: 'BLEU',
  };
  const title = titles[name] ?? name.charAt(0).toUpperCase() + name.slice(1);
  return cutoff === undefined ? title : `${title}@${cutoff}`;
}

/** What a task is called in a heading. */
export function taskTitle(task: string): string {
  const words = task.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The protocol in a sentence. */
export function protocolInWords({ protocol, data }: Pick<Report, 'protocol' | 'data'>): string {
  const { split, part, counts, bootstrap } = protocol;
  const splits = {
    'leave-last-out': "each user's last event is asked about, and the one before it is in the history",
    time: 'the first event of each user after one moment of all users is asked about',
    'held-out-users': 'the last event of users whom training never saw is asked about',
  } as const;
  const asked =
    counts.asked < counts.eligible
      ? `${grouped(counts.asked)} of ${grouped(counts.eligible)} users, drawn with seed ${protocol.seed}`
      : `all ${grouped(counts.asked)} users who can be asked`;
  return (
    `${part === 'test' ? 'Test' : 'Validation'} by ${split.kind}: ${splits[split.kind]}. Asked: ${asked}. ` +
    `Items are ranked against all ${grouped(data.items)} of the catalogue but those already seen; ties count against the ` +
    `candidate. In parentheses: ${100 * bootstrap.confidence} % intervals by ${grouped(bootstrap.resamples)} bootstrap ` +
    'resamples over users.'
  );
}
