/** One benchmark. It measures what it compares in one process, side by side, so that its ratios hold on any machine. */
export interface Benchmark {
  /** What it is called on the command line. */
  readonly name: string;
  /** What it measures, in one line. */
  readonly description: string;
  /** Measures. */
  run(options: BenchmarkOptions): Promise<BenchmarkResult>;
}

/** What every benchmark is told. */
export interface BenchmarkOptions {
  /** Threads that each engine may use. */
  readonly threads: number;
  /** Says what is being measured now; for people, never part of the result. */
  readonly progress: (line: string) => void;
}

/** A cell of the printed table: a name, or a figure whose unit is in the column's name. */
export type Cell = string | number | undefined;

/** What a benchmark found. */
export interface BenchmarkResult {
  /** One row per thing measured; the columns are the keys, such as `median ms`. */
  readonly rows: readonly Readonly<Record<string, Cell>>[];
  /** The figures that matter, each by a name that says what is divided by what. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Versions of whatever was measured, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

/** The machine that figures were measured on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly node: string;
}
