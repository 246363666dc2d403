export { commonCategoryCandidate, frequentCategoryCandidate } from './baselines/frequent-category.js';
export { markovCandidate, type MarkovOptions } from './baselines/markov.js';
export { popularityCandidate } from './baselines/popularity.js';
export { answersTask, type Candidate, type CandidateOptions, type Ranking } from './candidates/candidate.js';
export { totalFlops, type AnswerCost, type FlopsByPart, type Milliseconds } from './cost/answer-cost.js';
export { evaluationData, type EvaluationData, type EvaluationDataOptions } from './data/evaluation-data.js';
export { readEvaluationData, type PreparedFiles } from './data/read-evaluation-data.js';
export {
  intervalOf,
  pairedDifference,
  resample,
  type BootstrapOptions,
  type Interval,
  type Resampled,
} from './judge/bootstrap.js';
export {
  evaluateCandidates,
  type Difference,
  type EvaluateOptions,
  type Evaluation,
  type EvaluationProgress,
  type MetricResult,
  type TaskResult,
} from './judge/evaluate-candidates.js';
export type { AnyMetric } from './judge/judge-task.js';
export { predictionLines, type Prediction } from './judge/predictions.js';
export { rankAnswer } from './judge/rank-answer.js';
export { globalTime, heldOutUsers, leaveLastOut, positionsAsked, trainingHistories } from './protocol/protocol.js';
export {
  planQuestions,
  type QuestionCounts,
  type QuestionOptions,
  type Questions,
  type TestQuestion,
} from './protocol/questions.js';
export type { ControlCondition, ControlResult } from './controls/control-result.js';
export { html, type Html } from './report/html.js';
export { htmlReport } from './report/html-report.js';
export { markdownReport } from './report/markdown-report.js';
export { htmlPage, type PageParts } from './report/page.js';
export { plot, type PlotSpec } from './report/plot.js';
export { findProvenance, type Provenance } from './report/provenance.js';
export { publishedFor, type PublishedResult } from './report/published.js';
export {
  makeReport,
  type CostMeasurement,
  type Report,
  type ReportParts,
  type ReportWithPredictions,
  type TrainingCurve,
} from './report/report.js';
export { trainingCurves } from './report/training-curves.js';
export { reportFiles, writeReport } from './report/write-report.js';
export { encoderCandidate, type RankingEncoder } from './candidates/encoder.js';
export { perplexityOf, type Perplexity } from './controls/perplexity.js';
export { gatesOf, userControls, type ControlOptions } from './controls/user-controls.js';
export { AnswerLosses, type AnswerToScore } from './model/answer-losses.js';
export type { ModelInHand } from './model/model-in-hand.js';
export { answerFlops, type AnswerSize } from './cost/answer-flops.js';
export { timeAnswer, type TimingOptions } from './cost/time-answer.js';
export type { AnsweringModel, LanguageOptions } from './candidates/language.js';
export { textPromptCandidate, type TextPromptOptions } from './candidates/text-prompt.js';
export { rememberedCandidate, type Remembering } from './candidates/remembered.js';
export { userLlmCandidate } from './candidates/user-llm.js';
export { measureCosts, type CostOptions } from './cost/measure-costs.js';
