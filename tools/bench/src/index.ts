export type { Benchmark, BenchmarkOptions, BenchmarkResult, Cell, Machine } from './benchmark.js';
