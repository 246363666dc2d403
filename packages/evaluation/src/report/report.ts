import type { Split } from '@user-llm/tokenization';
import type { TrainedOn } from '@user-llm/user-llm';
import type { Candidate } from '../candidates/candidate.js';
import type { ControlResult } from '../controls/control-result.js';
import type { AnswerCost } from '../cost/answer-cost.js';
import type { EvaluationData } from '../data/evaluation-data.js';
import type { BootstrapOptions } from '../judge/bootstrap.js';
import type { Difference, Evaluation, TaskResult } from '../judge/evaluate-candidates.js';
import type { Prediction } from '../judge/predictions.js';
import type { QuestionCounts, Questions } from '../protocol/questions.js';
import { floorWarnings } from './floor-warnings.js';
import type { Provenance } from './provenance.js';
import { publishedFor, type PublishedResult } from './published.js';
import { trainingWarnings } from './training-warnings.js';

/** What one answer takes with histories of one length. */
export interface CostMeasurement extends AnswerCost {
  readonly candidate: string;
  /** Events of the history that the answer is about. */
  readonly historyEvents: number;
  /** How many of them were read: the model has a maximum, and of a text as many events are told as fit. */
  readonly eventsRead: number;
}

/** A figure over the steps of a training run, such as `loss`, as the app read it from a tracker's file. */
export interface TrainingCurve {
  /** What is drawn together, such as `pretrain`. */
  readonly stage: string;
  /** Such as `loss`. */
  readonly figure: string;
  /** Which line, such as `training` or `validation`. */
  readonly series: string;
  readonly points: readonly { readonly step: number; readonly value: number }[];
}

/** Everything that a report says; `report.json` is this. */
export interface Report {
  readonly format: 'user-llm-evaluation';
  readonly version: 1;
  readonly title: string;
  readonly provenance: Provenance;
  readonly data: {
    readonly name: string;
    readonly hash: string;
    readonly users: number;
    readonly items: number;
    readonly events: number;
  };
  readonly protocol: {
    readonly split: Split;
    readonly part: string;
    readonly seed: number;
    readonly counts: QuestionCounts;
    /** Wordings asked, such as `next-item@1#0`. */
    readonly templates: readonly string[];
    readonly bootstrap: Required<BootstrapOptions>;
  };
  readonly candidates: readonly Pick<Candidate, 'name' | 'description' | 'kind'>[];
  readonly results: readonly TaskResult[];
  readonly differences: readonly Difference[];
  /** Results that others published on this very data set. */
  readonly published: readonly PublishedResult[];
  /** Where a model is below a floor, or has seen in training what it is asked. */
  readonly warnings: readonly string[];
  readonly controls: readonly ControlResult[];
  readonly costs: readonly CostMeasurement[];
  readonly curves: readonly TrainingCurve[];
}

/** What a report is made of. */
export interface ReportParts {
  readonly title: string;
  readonly provenance: Provenance;
  readonly data: EvaluationData;
  readonly questions: Questions;
  readonly evaluation: Evaluation;
  /** As `evaluateCandidates` was given. */
  readonly bootstrap?: BootstrapOptions;
  readonly controls?: readonly ControlResult[];
  readonly costs?: readonly CostMeasurement[];
  readonly curves?: readonly TrainingCurve[];
  /** What the models were trained on, where that is known, by what to call them: `the model`. */
  readonly trainedOn?: Readonly<Record<string, TrainedOn>>;
}

/** A report with the answers behind it. */
export interface ReportWithPredictions {
  readonly report: Report;
  readonly predictions: ReadonlyMap<string, readonly Prediction[]>;
}

/** Brings what was found together, with published results where data set and protocol match, and warnings. */
export function makeReport(parts: ReportParts): ReportWithPredictions {
  const { title, provenance, data, questions, evaluation, bootstrap = {} } = parts;
  const size = { users: data.histories.length, items: data.items.length, events: data.events };
  const report: Report = {
    format: 'user-llm-evaluation',
    version: 1,
    title,
    provenance,
    data: { name: data.name, hash: data.hash, ...size },
    protocol: {
      split: questions.split,
      part: questions.part,
      seed: questions.seed,
      counts: questions.counts,
      templates: [...new Set(questions.questions.map(({ example }) => example.template))],
      bootstrap: { resamples: 1000, confidence: 0.95, seed: 0, ...bootstrap },
    },
    candidates: evaluation.candidates,
    results: evaluation.results,
    differences: evaluation.differences,
    published: questions.part === 'test' ? publishedFor(size, questions.split.kind) : [],
    warnings: [...trainingWarnings(data, questions, parts.trainedOn ?? {}), ...floorWarnings(evaluation)],
    controls: parts.controls ?? [],
    costs: parts.costs ?? [],
    curves: parts.curves ?? [],
  };
  return { report, predictions: evaluation.predictions };
}
