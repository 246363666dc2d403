export { differentiate, gradients, type Differentiated } from './autodiff.js';
export { requireCarry, requireFiniteOutput, requireInitial } from './carried-state.js';
export { bytesOf, elementwiseCost, freeCost, movementCost, type Cost } from './cost.js';
export { evaluate, toReference } from './evaluate.js';
export { bindFeeds, bindGiven, feedShapes, graphFor, requireOutputs, requireSameType } from './feeds.js';
export { cost, flops, type Bindings, type GraphCost } from './graph-cost.js';
export { graph, inputName, orderedNodes, type Graph, type NamedTensors } from './graph.js';
export {
  onnxDTypeCode,
  type OnnxAttribute,
  type OnnxDType,
  type OnnxEmitter,
  type OnnxNodeOptions,
  type OnnxOperand,
} from './onnx.js';
export {
  apply,
  applyOne,
  defineComposite,
  definePrimitive,
  type CompositeOperator,
  type ConcreteType,
  type Example,
  type ExampleInput,
  type ExampleValues,
  type GradientRule,
  type Operator,
  type PrimitiveOperator,
  type ReferenceArray,
  type ReferenceContext,
} from './operator.js';
export { eliminateCommonSubexpressions } from './passes/common-subexpressions.js';
export { expand, expandNode } from './passes/expand.js';
export { foldConstants } from './passes/fold-constants.js';
export { holdScores } from './passes/hold-scores.js';
export { joinProducts, type JoinedProducts } from './passes/join-products.js';
export { optimize } from './passes/optimize.js';
export { multipliedInputs, quantizeWeights, type QuantizedInput } from './passes/quantize-weights.js';
export { simplify } from './passes/simplify.js';
export { print } from './print.js';
export { operators, type AttributesOf, type CompositeName, type OperatorName, type PrimitiveName } from './table.js';
export {
  addSizes,
  bindShape,
  evaluateShape,
  evaluateSize,
  multiplySizes,
  sameShape,
  sameSize,
  sizeOfShape,
  subtractSizes,
  symbol,
  SymbolicSize,
  type Size,
  type SizeBindings,
} from './size.js';
export type { Attributes, Decided, Float, FloatScalar, Node, Symbolic, TensorType } from './symbolic.js';
export {
  absolute,
  cosine,
  erf,
  exponential,
  floor,
  logarithm,
  negate,
  not,
  reciprocal,
  relu,
  sigmoid,
  sign,
  sine,
  softCap,
  softplus,
  square,
  squareRoot,
  stopGradient,
  tanh,
} from './operators/elementwise.js';
export {
  add,
  divide,
  maximum,
  minimum,
  modulo,
  multiply,
  power,
  subtract,
  type BinaryFunction,
} from './operators/arithmetic.js';
export {
  and,
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  notEqual,
  or,
  type ComparisonFunction,
  type LogicalFunction,
} from './operators/comparison.js';
export { attention, type AttentionOptions } from './operators/attention.js';
export { batchMatmul, batchMatmulTransposed, matmul, matmulTransposed } from './operators/matmul.js';
export { broadcastLike } from './operators/broadcast.js';
export {
  cachedAttention,
  cacheWrittenInPlace,
  type CachedAttentionOptions,
  type KeyValueCache,
} from './operators/cached-attention.js';
export { cast } from './operators/cast.js';
export { concat, stack } from './operators/concat.js';
export { sparseCrossEntropy, type CrossEntropyOptions } from './operators/cross-entropy.js';
export { cumulativeSum } from './operators/cumulative-sum.js';
export { dropout } from './operators/dropout.js';
export { argmax, topK } from './operators/extreme-index.js';
export { embed, gather, scatterAdd } from './operators/gather.js';
export { constant, input, inputOperator, type InputAttributes } from './operators/input.js';
export { linearCrossEntropy } from './operators/linear-cross-entropy.js';
export { gelu, geluTanh, silu } from './operators/activations.js';
export { layerNorm, rmsNorm } from './operators/normalization.js';
export { oneHot } from './operators/one-hot.js';
export { pad } from './operators/pad.js';
export { max, mean, min, sum, type ReduceFunction, type Without } from './operators/reduce.js';
export { joinAxes, rename, reshape, splitAxis, type Renamed } from './operators/reshape.js';
export { rotary, rotaryFrequencies, rotaryTables, type RotaryOptions, type RotaryTables } from './operators/rotary.js';
export type { QuantizedFormat } from './operators/quantized-matmul.js';
export { range, sizeValue } from './operators/size-value.js';
export { slice } from './operators/slice.js';
export { logSoftmax, softmax } from './operators/softmax.js';
export { split } from './operators/split.js';
export { takeAlong } from './operators/take-along.js';
export { transpose } from './operators/transpose.js';
export { uniform } from './operators/uniform.js';
export { where } from './operators/where.js';
export {
  flattenParameters,
  initializeParameters,
  parameter,
  parameterInputs,
  type Initializer,
  type Module,
  type ParameterInputs,
  type ParameterSpec,
  type ParameterTree,
  type SymbolicParameters,
} from './module.js';
export type { Optimizer, OptimizerStep } from './optimizer.js';
export type {
  Feeds,
  GraphSource,
  Program,
  ProgramRunOptions,
  Results,
  RunOptions,
  Runtime,
  StatefulProgram,
  TrainStepOptions,
  Value,
} from './runtime.js';
export { globalNorm, trainStepGraphs, type TrainStepDefinition, type TrainStepGraphs } from './train-step.js';
